// The messages of a chat request, checked and brought to the shape that templates expect.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "server/openai/fields.h"
#include "server/openai/request.h"

namespace edgegate {

// The `messages` member as JSON text, as ChatTemplateInput wants it: contents are strings, and
// lists of parts only where there are pictures, whose URLs are added to `images` in order. Errors
// go to `fields`.
std::string ParseMessages(Fields* fields, std::vector<ImageUrl>* images);

}  // namespace edgegate
