// Reads the tools of a response's request.
#pragma once

#include <nlohmann/json.hpp>

#include "server/api/json/fields.h"
#include "server/api/warnings.h"
#include "server/call/call.h"

namespace edgegate {

// Members of the answer that repeat the request's tools.
struct ResponseToolEcho {
  nlohmann::ordered_json tools = nlohmann::ordered_json::array();
  nlohmann::ordered_json choice = "auto";
  bool parallel = true;
};

// Reads `tools`, `tool_choice` and `parallel_tool_calls` to the conversation, which the model sees,
// and to the call, which has those that the answer may call. Tools that are not functions are left
// out with a warning. Errors go to `fields`.
ResponseToolEcho ParseResponseTools(Fields* fields, Conversation* conversation, Call* call,
                                    Warnings* warnings);

}  // namespace edgegate
