#include "server/api/anthropic/tools.h"

#include <string>
#include <utility>

#include "server/api/conversation/tool_list.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

void ParseTool(Fields* fields, const json& value, const std::string& path, ToolList* list,
               Warnings* warnings) {
  if (!value.is_object()) return fields->Fail(WrongType(path, "an object", value));
  Fields tool(value, path);
  const std::string type = tool.String("type").value_or("custom");
  if (type != "custom") {
    warnings->Add(fmt::format("'{}' was left out: tools of type '{}' are not supported.", path,
                              type.substr(0, 60)));
    return;
  }
  OfferedFunction offered = ReadFunction(&tool, path, "input_schema");
  // Arguments follow the schema with and without `strict`. Prompts are cached anyway.
  for (const char* name : {"strict", "cache_control"}) tool.Raw(name);
  fields->Adopt(&tool);
  if (!fields->error()) fields->Fail(list->Add(std::move(offered)));
}

ToolList ParseList(Fields* fields, Warnings* warnings) {
  ToolList list;
  const json& tools = fields->Raw("tools");
  if (tools.is_null()) return list;
  if (!tools.is_array()) {
    fields->Fail(WrongType("tools", "an array", tools));
    return list;
  }
  for (size_t i = 0; i < tools.size() && !fields->error(); ++i) {
    ParseTool(fields, tools[i], fmt::format("tools[{}]", i), &list, warnings);
  }
  return list;
}

}  // namespace

void ParseAnthropicTools(Fields* fields, Conversation* conversation, Call* call,
                         Warnings* warnings) {
  ToolList list = ParseList(fields, warnings);
  const json& value = fields->Raw("tool_choice");
  if (value.is_null()) return list.Offer(false, true, conversation, call);
  if (!value.is_object()) return fields->Fail(WrongType("tool_choice", "an object", value));
  Fields choice(value, "tool_choice");
  const std::string type = choice.String("type").value_or("");
  const bool one = choice.Bool("disable_parallel_tool_use").value_or(false);
  const bool named = type == "tool";
  if (type != "auto" && type != "any" && type != "none" && !named) {
    choice.Fail(BadField("tool_choice.type",
                         "Invalid 'tool_choice.type': expected 'auto', 'any', 'tool' or 'none'."));
  }
  const std::string name = named ? choice.String("name").value_or("") : "";
  fields->Adopt(&choice);
  if (fields->error() || type == "none") return;
  const bool required = named || type == "any";
  if (required && list.empty()) {
    return fields->Fail(BadField(
        "tool_choice", "Invalid 'tool_choice': the request has no tool that can be called."));
  }
  if (named) fields->Fail(list.Keep({name}, "tool_choice.name"));
  list.Offer(required, !one && !named, conversation, call);
}

}  // namespace edgegate
