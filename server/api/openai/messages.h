// The messages of a chat request, checked and brought to the shape that templates expect.
#pragma once

#include <vector>

#include "server/api/json/fields.h"
#include "server/call/call.h"

namespace edgegate {

// Reads the member "messages". The texts of a message without images are joined by newlines, as
// vLLM does. Images are added to `images` in order. Errors go to `fields`.
std::vector<ChatMessage> ParseMessages(Fields* fields, std::vector<ImageSource>* images);

}  // namespace edgegate
