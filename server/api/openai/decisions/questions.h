// Reads the questions of a request for decisions, and writes their answers.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "server/api/json/fields.h"
#include "server/api/warnings.h"
#include "server/call/decision_text.h"

namespace edgegate {

// The parts of a question that its answer repeats.
struct AnswerShape {
  DecisionQuestion::Kind kind = DecisionQuestion::Kind::kPredicate;
  nlohmann::ordered_json name;                  // null: the question has none
  std::vector<nlohmann::ordered_json> options;  // values of a choice, labels of a score
};

struct ParsedQuestions {
  std::vector<DecisionQuestion> questions;
  std::vector<AnswerShape> shapes;
};

inline constexpr size_t kMostQuestions = 400;  // as in OpenAI's API
inline constexpr size_t kMostOptions = 255;    // of one question

// Reads the member `questions`. Errors go to `fields`.
ParsedQuestions ParseQuestions(Fields* fields, Warnings* warnings);

// Returns the answer to a question. `probabilities`: see DecisionResult.
nlohmann::ordered_json AnswerTo(const AnswerShape& shape, const std::vector<double>& probabilities);

}  // namespace edgegate
