// "response_format" of OpenAI's API and "structured_outputs" of vLLM's: what the output must
// follow.
#pragma once

#include <optional>

#include "server/api/json/fields.h"
#include "server/call/call.h"

namespace edgegate {

// Reads the two members. Nothing: the output is free. Errors go to `fields`.
std::optional<OutputConstraint> ParseResponseFormat(Fields* fields);

}  // namespace edgegate
