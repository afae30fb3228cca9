// Reads the tools of Anthropic's API.
#pragma once

#include "server/api/json/fields.h"
#include "server/api/warnings.h"
#include "server/call/call.h"

namespace edgegate {

// Reads `tools` and `tool_choice` to the conversation, which the model sees, and to the call, which
// has those that the answer may call. Tools that the server would run are left out with a warning.
// Errors go to `fields`.
void ParseAnthropicTools(Fields* fields, Conversation* conversation, Call* call,
                         Warnings* warnings);

}  // namespace edgegate
