// What the answer to a call must look like: its grammar, and how its text is split.
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

// Checks what can be known of the call's tools before anything is tokenized or compiled.
std::optional<CallError> CheckTools(const Call& call, const ServedModel& model);

// Compiles the grammar of the answer. Null where the answer is free. `reasoning_open`: the prompt
// ends with the mark that begins thoughts.
std::variant<std::shared_ptr<const TokenConstraint>, CallError> StartGrammar(
    const Call& call, const ServedModel& model, bool reasoning_open, const JobContext& context);

// Absent where all of the answer's text is content.
std::optional<AnswerSyntax> SyntaxOf(const Call& call, const ServedModel& model,
                                     bool reasoning_open);

}  // namespace edgegate
