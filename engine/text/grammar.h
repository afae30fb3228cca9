// Grammars for constrained output, compiled by the llguidance crate.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/sampling/token_constraint.h"
#include "engine/text/tokenizer.h"

struct tk_grammars;

namespace edgegate {

struct GrammarSpec {
  // kChoice: a JSON array of strings, one of which is the output.
  enum class Kind { kJsonSchema, kRegex, kLark, kChoice };
  Kind kind = Kind::kJsonSchema;
  std::string text;
};

// One model's vocabulary, made ready for grammars when the first one is asked for. Provides its own
// synchronization.
class Grammars {
 public:
  // `vocab_size`: of the logits. `tokenizer` must outlive this.
  Grammars(const Tokenizer& tokenizer, int vocab_size, std::vector<int32_t> eos_token_ids);
  ~Grammars();
  Grammars(const Grammars&) = delete;
  Grammars& operator=(const Grammars&) = delete;

  // Makes the vocabulary ready, unless that was done before. Start() does it too.
  void Prepare() const;

  // A constraint at its start. kInvalidArgument, saying why, when the text is no grammar, uses what
  // is not supported or is too large, or the model has no end-of-text token.
  Result<std::unique_ptr<TokenConstraint>> Start(const GrammarSpec& spec) const;

 private:
  void PrepareOnce() const;

  const Tokenizer& tokenizer_;
  const int vocab_size_;
  const std::vector<int32_t> eos_token_ids_;
  mutable std::once_flag once_;
  mutable tk_grammars* handle_ = nullptr;
  mutable std::string error_;
};

}  // namespace edgegate
