// Ends the thoughts of an answer after a number of tokens.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/sampling/token_constraint.h"
#include "engine/text/chat_template.h"
#include "engine/text/vocabulary.h"

namespace edgegate {

struct ThinkingLimits {
  ReasoningMarks marks;
  std::vector<int32_t> end_ids;  // the tokens of the end mark; not empty
  bool open = false;             // the prompt has the begin mark
  int tokens = 0;                // of thoughts; then the end mark is forced
};

// Makes a constraint at the start of an answer. Until the thoughts have used up their tokens, and
// after the thoughts, `inner` alone decides. Null: all of the vocabulary is allowed. `vocab_size`:
// number of logits. `vocabulary` must outlive the result and its clones.
std::unique_ptr<TokenConstraint> LimitThinking(ThinkingLimits limits, const Vocabulary& vocabulary,
                                               int vocab_size,
                                               std::shared_ptr<const TokenConstraint> inner);

}  // namespace edgegate
