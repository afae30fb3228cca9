// Ends the thoughts of an answer after a number of tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
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
// after the thoughts, `inner` alone decides. Null: all of `valid` is allowed, which
// has a bit for each logit (ValidTokens). `vocabulary` and `valid` must outlive the result and its
// clones.
std::unique_ptr<TokenConstraint> LimitThinking(ThinkingLimits limits, const Vocabulary& vocabulary,
                                               std::span<const uint32_t> valid,
                                               std::shared_ptr<const TokenConstraint> inner);

}  // namespace edgegate
