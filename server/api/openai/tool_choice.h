// Reads which of the offered tools an answer may call: `tool_choice` and `function_call`.
#pragma once

#include <string>
#include <vector>

#include "server/api/json/fields.h"

namespace edgegate {

struct ToolChoice {
  enum class Mode { kNone, kAuto, kRequired };
  Mode mode = Mode::kAuto;
  std::optional<std::vector<std::string>> names;  // the tools that may be called; absent: all
  bool one = false;                               // one call, of the tool that the client named
};

// Reads `tool_choice`, or the older `function_call`. `any_tools`: the request offers tools.
ToolChoice ParseToolChoice(Fields* fields, bool any_tools);
ToolChoice ParseFunctionCall(Fields* fields, bool any_functions);

}  // namespace edgegate
