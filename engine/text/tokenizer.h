// Converts text to token ids and back, with the `tokenizers` crate (tokenizer.json) or
// sentencepiece (tokenizer.model). Both give exactly the ids of the published tokenizer.
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

// Converts GGUF tokenizer metadata to a tokenizer.json with the same behaviour. kUnimplemented,
// naming the value, for an unknown `model` or `pre`.
Result<TokenizerAssets> AssetsFromGguf(const GgufVocab& vocab);

// Immutable once made: any thread may call any method.
class Tokenizer : public Vocabulary {
 public:
  static constexpr int64_t kNoLimit = INT64_MAX;

  static Result<std::unique_ptr<Tokenizer>> Make(const TokenizerAssets& assets);

  // Treatment of text that looks like a special token.
  enum class Specials {
    kPlain,  // stays plain text (text of users)
    kParse,  // becomes the special token (raw prompts)
  };

  // Returns the ids of `text`. kInvalidArgument if it is not UTF-8. `add_special` adds the tokens
  // of the tokenizer's post-processor (a bos token, a prefix). kResourceExhausted if there are more
  // than `max_tokens` ids; the work stops soon after that many.
  virtual Result<std::vector<int32_t>> Encode(std::string_view text, Specials specials,
                                              bool add_special,
                                              int64_t max_tokens = kNoLimit) const = 0;

  // Returns the ids of a rendered template. If `specials[i]`, segments[i] is a special token of the
  // template; else it is text in which nothing becomes a special token. No token is added.
  // kResourceExhausted as above.
  virtual Result<std::vector<int32_t>> EncodeSegments(const std::vector<std::string>& segments,
                                                      const std::vector<bool>& specials,
                                                      int64_t max_tokens = kNoLimit) const;

  virtual int32_t TokenId(std::string_view token) const = 0;  // -1: no such token
  virtual const std::vector<std::string>& special_tokens() const = 0;
};

}  // namespace edgegate
