// Reads `text` of a response's request.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "server/api/json/fields.h"
#include "server/call/call.h"

namespace edgegate {

// Reads the format of the answer's text to `constraint`. Returns the member as the answer repeats
// it. Errors go to `fields`.
nlohmann::ordered_json ParseTextFormat(Fields* fields, std::optional<OutputConstraint>* constraint);

}  // namespace edgegate
