// Reads the members of a chat request that offer tools: `tools` and `tool_choice`, and the older
// `functions` and `function_call`.
#pragma once

#include "server/api/json/fields.h"
#include "server/call/call.h"

namespace edgegate {

// Adds the tools to the conversation, which the model sees, and to the call, which has those that
// the answer may call. True: the request has the older members. Errors go to `fields`.
bool ParseTools(Fields* fields, Conversation* conversation, Call* call);

}  // namespace edgegate
