#include "server/api/openai/tools.h"

#include <string>
#include <utility>

#include "server/api/conversation/tool_list.h"
#include "server/api/openai/tool_choice.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

// Reads a function: the member `function` of a tool, or an item of `functions`. `path`: its path.
void ParseFunction(Fields* fields, const json& value, const std::string& path, ToolList* list) {
  if (!value.is_object()) return fields->Fail(WrongType(path, "an object", value));
  Fields function(value, path);
  OfferedFunction offered = ReadFunction(&function, path, "parameters");
  // Arguments follow the schema with and without `strict`.
  function.Bool("strict");
  fields->Adopt(&function);
  if (!fields->error()) fields->Fail(list->Add(std::move(offered)));
}

void ParseTool(Fields* fields, const json& value, const std::string& path, ToolList* list) {
  if (!value.is_object()) return fields->Fail(WrongType(path, "an object", value));
  Fields tool(value, path);
  if (tool.String("type").value_or("") != "function") {
    tool.Fail(BadField(path + ".type",
                       fmt::format("Invalid '{}.type': only 'function' is supported.", path)));
  }
  const json& function = tool.Raw("function");
  fields->Adopt(&tool);
  if (!fields->error()) ParseFunction(fields, function, path + ".function", list);
}

ToolList ParseOffered(Fields* fields, const char* member, bool older) {
  ToolList offered;
  const json& list = fields->Raw(member);
  if (list.is_null()) return offered;
  if (!list.is_array()) {
    fields->Fail(WrongType(member, "an array", list));
    return offered;
  }
  if (list.size() > ToolList::kMaxTools) {
    fields->Fail(
        BadField(member, fmt::format("Invalid '{}': it has {} items; at most {} are accepted.",
                                     member, list.size(), ToolList::kMaxTools)));
    return offered;
  }
  for (size_t i = 0; i < list.size() && !fields->error(); ++i) {
    const std::string path = fmt::format("{}[{}]", member, i);
    if (older) {
      ParseFunction(fields, list[i], path, &offered);
    } else {
      ParseTool(fields, list[i], path, &offered);
    }
  }
  return offered;
}

}  // namespace

bool ParseTools(Fields* fields, Conversation* conversation, Call* call) {
  const bool older = !fields->Raw("functions").is_null();
  if (older && !fields->Raw("tools").is_null()) {
    fields->Fail(BadField("functions", "'functions' and 'tools' exclude each other."));
  }
  ToolList offered = ParseOffered(fields, older ? "functions" : "tools", older);
  const bool any = !offered.empty();
  const ToolChoice with_tools = ParseToolChoice(fields, any && !older);
  const ToolChoice with_functions = ParseFunctionCall(fields, any && older);
  const ToolChoice& choice = older ? with_functions : with_tools;
  const bool parallel_wanted = fields->Bool("parallel_tool_calls").value_or(true);
  const bool parallel = parallel_wanted && !older && !choice.one;
  if (!parallel_wanted && (!any || older)) fields->warnings().NoEffect("parallel_tool_calls");
  if (!any || choice.mode == ToolChoice::Mode::kNone) return older;
  if (choice.names && !fields->error()) {
    fields->Fail(offered.Keep(*choice.names, older ? "function_call" : "tool_choice"));
  }
  offered.Offer(choice.mode == ToolChoice::Mode::kRequired, parallel, conversation, call);
  return older;
}

}  // namespace edgegate
