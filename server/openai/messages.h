// The messages of a chat request, checked and brought to the shape that templates expect.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "server/openai/fields.h"

namespace edgegate {

// The `messages` member as JSON text, contents flattened to strings; errors go to `fields`.
std::string ParseMessages(Fields* fields);

}  // namespace edgegate
