// The texts that ask a model the questions of a decision.
#pragma once

#include <string>
#include <vector>

#include "server/worker/question_job.h"

namespace edgegate {

struct DecisionOption {
  std::string text;
  std::string description;  // may be empty
};

struct DecisionQuestion {
  enum class Kind { kPredicate, kChoice, kScore };

  Kind kind = Kind::kPredicate;
  std::string instructions;
  std::vector<DecisionOption> options;  // at least two; none of a predicate
  std::string field;                    // path of the question in the request
};

// Returns the forms of a question: one that lists the options and is answered by the text of one,
// and one that is answered by its letter or number. A predicate is answered by Yes or No. `plain`:
// one form, whose text is the instructions alone. It is answered by an option's description, or by
// its text if it has none.
std::vector<QuestionForm> FormsOf(const DecisionQuestion& question, bool plain);

}  // namespace edgegate
