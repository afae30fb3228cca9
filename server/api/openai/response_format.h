// Parses "response_format" of OpenAI's API and "structured_outputs" of vLLM's API: the grammar that
// the output must follow.
#pragma once

#include <optional>

#include "server/api/json/fields.h"
#include "server/call/call.h"

namespace edgegate {

// Reads the two members. nullopt: the output has no constraint. Errors are stored in `fields`.
std::optional<OutputConstraint> ParseResponseFormat(Fields* fields);

}  // namespace edgegate
