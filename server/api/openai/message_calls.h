// Reads the members of messages that belong to calls of tools.
#pragma once

#include <string>

#include "engine/text/conversation.h"
#include "server/api/json/fields.h"

namespace edgegate {

// Reads `tool_calls`, the older `function_call`, `tool_call_id`, `name` and `reasoning_content` of
// the message at `name`, whose role is set. Errors go to `fields`.
void ParseMessageCalls(Fields* fields, const nlohmann::ordered_json& object,
                       const std::string& name, ChatMessage* message);

}  // namespace edgegate
