// POST /v1/decisions.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/api/openai/decisions/questions.h"
#include "server/api/services.h"
#include "server/api/warnings.h"
#include "server/call/call_error.h"
#include "server/call/decision_call.h"
#include "server/http/router.h"

namespace edgegate {

// A parsed request.
struct ParsedDecision {
  DecisionCall decision;
  std::vector<AnswerShape> shapes;  // of the questions, in order
  Warnings warnings;
};

// Parses the body. Has no side effects.
std::variant<ParsedDecision, CallError> ParseDecision(std::string_view body);

// Returns the body of the answer.
std::string WriteDecision(const ParsedDecision& parsed, const std::string& model,
                          const DecisionResult& result);

void AddDecisions(const ApiServices& services, Router* router);

}  // namespace edgegate
