#include "server/api/openai/responses/tools.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/api/conversation/tool_list.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

// Which functions the answer may or must call.
struct Choice {
  bool none = false;
  bool required = false;
  bool one = false;                               // one call, of a named function
  std::optional<std::vector<std::string>> names;  // absent: all functions
};

// Reads one function. Returns the tool as the answer repeats it.
json ParseFunction(Fields* fields, const json& value, const std::string& path, ToolList* list) {
  Fields tool(value, path);
  tool.Raw("type");
  OfferedFunction offered = ReadFunction(&tool, path, "parameters");
  const bool strict = tool.Bool("strict").value_or(true);
  json echo = {{"type", "function"}, {"name", offered.name}};
  echo["description"] = tool.Raw("description");
  echo["parameters"] = offered.schema;
  echo["strict"] = strict;
  fields->Adopt(&tool);
  if (!fields->error()) fields->Fail(list->Add(std::move(offered)));
  return echo;
}

json ParseList(Fields* fields, ToolList* list, Warnings* warnings) {
  json echo = json::array();
  const json& tools = fields->Raw("tools");
  if (tools.is_null()) return echo;
  if (!tools.is_array()) {
    fields->Fail(WrongType("tools", "an array", tools));
    return echo;
  }
  for (size_t i = 0; i < tools.size() && !fields->error(); ++i) {
    const std::string path = fmt::format("tools[{}]", i);
    if (!tools[i].is_object()) {
      fields->Fail(WrongType(path, "an object", tools[i]));
      break;
    }
    const json& type = MemberOf(tools[i], "type");
    if (!type.is_string()) {
      fields->Fail(WrongType(path + ".type", "a string", type));
    } else if (type == "function") {
      echo.push_back(ParseFunction(fields, tools[i], path, list));
    } else {
      warnings->Add(fmt::format("'{}' was left out: tools of type '{}' are not supported.", path,
                                type.get<std::string>().substr(0, 60)));
    }
  }
  return echo;
}

// Returns the name in {"type": "function", "name": NAME}. Empty after an error.
std::string NamedFunction(Fields* fields, const json& value, const std::string& path) {
  if (!value.is_object()) {
    fields->Fail(WrongType(path, "an object", value));
    return {};
  }
  if (MemberOf(value, "type") != "function") {
    fields->Fail(BadField(path + ".type",
                          fmt::format("Invalid '{}.type': only 'function' is supported.", path)));
    return {};
  }
  const json& name = MemberOf(value, "name");
  if (!name.is_string()) {
    fields->Fail(WrongType(path + ".name", "a string", name));
    return {};
  }
  return name.get<std::string>();
}

Choice ParseAllowed(Fields* fields, const json& value) {
  Choice choice;
  choice.names.emplace();
  const json& mode = MemberOf(value, "mode");
  if (mode != "auto" && mode != "required") {
    fields->Fail(
        BadField("tool_choice.mode", "Invalid 'tool_choice.mode': expected 'auto' or 'required'."));
  }
  choice.required = mode == "required";
  const json& tools = MemberOf(value, "tools");
  if (!tools.is_array() || tools.empty()) {
    fields->Fail(BadField("tool_choice.tools",
                          "Invalid 'tool_choice.tools': expected an array of at least one tool."));
    return choice;
  }
  for (size_t i = 0; i < tools.size() && !fields->error(); ++i) {
    choice.names->push_back(
        NamedFunction(fields, tools[i], fmt::format("tool_choice.tools[{}]", i)));
  }
  return choice;
}

Choice ParseChoice(Fields* fields, const json& value) {
  if (value.is_null() || value == "auto") return {};
  if (value == "none") return {.none = true, .names = {}};
  if (value == "required") return {.required = true, .names = {}};
  if (!value.is_object()) {
    fields->Fail(BadField(
        "tool_choice", "Invalid 'tool_choice': expected 'none', 'auto', 'required' or an object."));
    return {};
  }
  if (MemberOf(value, "type") == "allowed_tools") return ParseAllowed(fields, value);
  return {.required = true,
          .one = true,
          .names = std::vector{NamedFunction(fields, value, "tool_choice")}};
}

}  // namespace

ResponseToolEcho ParseResponseTools(Fields* fields, Conversation* conversation, Call* call,
                                    Warnings* warnings) {
  ResponseToolEcho echo;
  ToolList list;
  echo.tools = ParseList(fields, &list, warnings);
  const json& value = fields->Raw("tool_choice");
  if (!value.is_null()) echo.choice = value;
  const Choice choice = ParseChoice(fields, value);
  echo.parallel = fields->Bool("parallel_tool_calls").value_or(true);
  if (fields->error() || choice.none) return echo;
  if (list.empty() && choice.required) {
    fields->Fail(BadField(
        "tool_choice", "Invalid 'tool_choice': the request has no function that can be called."));
  }
  if (choice.names && !fields->error()) fields->Fail(list.Keep(*choice.names, "tool_choice"));
  list.Offer(choice.required, echo.parallel && !choice.one, conversation, call);
  return echo;
}

}  // namespace edgegate
