// Text to token ids and back. Backed by the `tokenizers` crate (tokenizer.json) or sentencepiece
// (tokenizer.model); both give the ids of the published tokenizer exactly.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/text/tokenizer_assets.h"
#include "engine/text/vocabulary.h"

namespace edgegate {

// Turns GGUF tokenizer metadata into a tokenizer.json with the same behaviour. kUnimplemented,
// naming it, for an unknown `model` or `pre`.
Result<TokenizerAssets> AssetsFromGguf(const GgufVocab& vocab);

// Immutable once made: any thread may call any method.
class Tokenizer : public Vocabulary {
 public:
  static constexpr int64_t kNoLimit = INT64_MAX;

  static Result<std::unique_ptr<Tokenizer>> Make(const TokenizerAssets& assets);

  // How the text's special tokens are read.
  enum class Specials {
    kPlain,  // look-alikes of special tokens are plain text (user text)
    kParse,  // they become the special tokens (raw prompts)
  };

  // Ids of `text` (UTF-8; invalid bytes are an error). `add_special` adds what the tokenizer's
  // post-processor adds by itself (a bos token, a prefix). kResourceExhausted when there are more
  // than `max_tokens`; the work stops soon after that many.
  virtual Result<std::vector<int32_t>> Encode(std::string_view text, Specials specials,
                                              bool add_special,
                                              int64_t max_tokens = kNoLimit) const = 0;

  // Ids of a text that a template wrote: `specials[i]` says whether segments[i] is a special token
  // of its own or text in which look-alikes stay plain. Nothing is added. kResourceExhausted as
  // above.
  virtual Result<std::vector<int32_t>> EncodeSegments(const std::vector<std::string>& segments,
                                                      const std::vector<bool>& specials,
                                                      int64_t max_tokens = kNoLimit) const;

  virtual int32_t TokenId(std::string_view token) const = 0;  // -1: no such token
  virtual const std::vector<std::string>& special_tokens() const = 0;
};

}  // namespace edgegate
