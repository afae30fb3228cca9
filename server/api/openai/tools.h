// The members of a chat request that offer tools: `tools` and `tool_choice`, and the older
// `functions` and `function_call`.
#pragma once

#include "server/api/json/fields.h"
#include "server/call/call.h"

namespace edgegate {

// Reads them into the conversation (what the model sees) and the call (what the answer may call).
// True: they are the older members. Errors go to `fields`.
bool ParseTools(Fields* fields, Conversation* conversation, Call* call);

}  // namespace edgegate
