// Determines the grammar of the answer to a call, and how its text is split.
#pragma once

#include <memory>
#include <optional>
#include <variant>

#include "engine/sampling/token_constraint.h"
#include "engine/text/tools/answer_reader.h"
#include "server/call/call.h"
#include "server/call/call_error.h"
#include "server/call/served_model.h"

namespace edgegate {

// Checks the call's tools against the model. Needs no tokenizing or compiling.
std::optional<CallError> CheckTools(const Call& call, const ServedModel& model);

// Compiles the grammar of the answer. Null: the answer is free. `reasoning_open`: the prompt ends
// with the begin mark of thoughts.
std::variant<std::shared_ptr<const TokenConstraint>, CallError> StartGrammar(
    const Call& call, const ServedModel& model, bool reasoning_open, const JobContext& context);

// Returns how the answer's text is split. nullopt: all of it is content.
std::optional<AnswerSyntax> SyntaxOf(const Call& call, const ServedModel& model,
                                     bool reasoning_open);

}  // namespace edgegate
