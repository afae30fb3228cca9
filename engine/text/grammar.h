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
  // kChoice: a JSON array of strings; the output is one of them. kStructure: see CallStructure();
  // the error of a schema in it begins with the schema's name and a line break.
  enum class Kind { kJsonSchema, kRegex, kLark, kChoice, kStructure };
  Kind kind = Kind::kJsonSchema;
  std::string text;
};

// One model's vocabulary, prepared for grammars when the first one is needed. Provides its own
// synchronization.
class Grammars {
 public:
  // `vocab_size`: number of logits. `marks`: special tokens that an output may have as the text of
  // their names. `tokenizer` must outlive this.
  Grammars(const Tokenizer& tokenizer, int vocab_size, std::vector<int32_t> eos_token_ids,
           std::vector<int32_t> marks = {});
  ~Grammars();
  Grammars(const Grammars&) = delete;
  Grammars& operator=(const Grammars&) = delete;

  // Prepares the vocabulary, unless that was done before. Start() does it too.
  void Prepare() const;

  // Returns a constraint at its start. kInvalidArgument, with the cause, if the text is no grammar,
  // uses unsupported features or is too large, or if the model has no end-of-text token.
  Result<std::unique_ptr<TokenConstraint>> Start(const GrammarSpec& spec) const;

 private:
  void PrepareOnce() const;

  const Tokenizer& tokenizer_;
  const int vocab_size_;
  const std::vector<int32_t> eos_token_ids_;
  const std::vector<int32_t> marks_;
  mutable std::once_flag once_;
  mutable tk_grammars* handle_ = nullptr;
  mutable std::string error_;
};

}  // namespace edgegate
