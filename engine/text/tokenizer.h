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

namespace edgegate {

// Turns GGUF tokenizer metadata into a tokenizer.json with the same behaviour. kUnimplemented,
// naming it, for an unknown `model` or `pre`.
Result<TokenizerAssets> AssetsFromGguf(const GgufVocab& vocab);

// Immutable once made: any thread may call any method.
class Tokenizer {
 public:
  static Result<std::unique_ptr<Tokenizer>> Make(const TokenizerAssets& assets);
  virtual ~Tokenizer() = default;

  // How the text's special tokens are read.
  enum class Specials {
    kPlain,  // look-alikes of special tokens are plain text (user text)
    kParse,  // they become the special tokens (raw prompts)
  };

  // Ids of `text` (UTF-8; invalid bytes are an error). `add_special` adds what the tokenizer's
  // post-processor adds by itself (a bos token, a prefix).
  virtual Result<std::vector<int32_t>> Encode(std::string_view text, Specials specials,
                                              bool add_special) const = 0;

  // Text of `ids`, UTF-8 with U+FFFD where the bytes are none. Ids that do not exist are skipped.
  std::string Decode(const std::vector<int32_t>& ids, bool skip_special) const;

  // Ids of a text that a template wrote: `specials[i]` says whether segments[i] is a special token
  // of its own or text in which look-alikes stay plain. Nothing is added.
  virtual Result<std::vector<int32_t>> EncodeSegments(const std::vector<std::string>& segments,
                                                      const std::vector<bool>& specials) const;

  // The exact bytes that one token adds to the text in the middle of a sequence; not always valid
  // UTF-8. A special token's own name. Empty for an id that does not exist.
  virtual std::string TokenBytes(int32_t id) const = 0;

  virtual bool IsSpecial(int32_t id) const = 0;  // added tokens with special = true
  virtual bool IsValid(int32_t id) const = 0;    // the tokenizer has this id
  virtual bool StripsLeadingSpace() const = 0;   // decoding drops one space at the very start
  virtual int vocab_size() const = 0;            // largest id + 1
  virtual int32_t TokenId(std::string_view token) const = 0;  // -1: no such token
  virtual const std::vector<std::string>& special_tokens() const = 0;
};

// Turns one sequence's tokens into text as they come. Owned by one thread.
class StreamDecoder {
 public:
  // `skip_special`: special tokens give no text. `tokenizer` must outlive this.
  StreamDecoder(const Tokenizer& tokenizer, bool skip_special);
  ~StreamDecoder();

  // The text that `id` completes: whole UTF-8 characters only; the bytes of an unfinished one are
  // held back. Concatenated with Finish(), it equals Decode() of all the ids.
  std::string Push(int32_t id);
  // What is still held back, as U+FFFD.
  std::string Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace edgegate
