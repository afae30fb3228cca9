// Reads the input and the instructions of a request for decisions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/text/conversation.h"
#include "server/api/json/fields.h"
#include "server/call/call.h"

namespace edgegate {

// Reads the member `input`: a string, or an array of messages, calls of functions and of custom
// tools, and their outputs. Errors go to `fields`. `images` gets the images, in order.
std::vector<ChatMessage> ParseDecisionInput(Fields* fields, std::vector<ImageSource>* images);

// Reads the instructions of a question: a string, or an array of parts of text and JSON. `path`:
// their path in the request.
std::string ParseInstructions(Fields* fields, const nlohmann::ordered_json& value,
                              const std::string& path);

}  // namespace edgegate
