#include "server/api/openai/tools.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "server/api/json/dump.h"
#include "server/api/openai/tool_choice.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

constexpr size_t kMaxTools = 128;
constexpr size_t kMaxName = 64;

bool IsName(const std::string& name) {
  return !name.empty() && name.size() <= kMaxName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.';
         });
}

// True if an open object can be closed: no keyword but `properties` determines its members.
bool MayClose(const json& schema) {
  for (const char* keyword :
       {"additionalProperties", "patternProperties", "allOf", "anyOf", "oneOf", "not", "if", "$ref",
        "$dynamicRef", "$recursiveRef", "dependencies", "dependentSchemas", "dependentRequired",
        "minProperties", "propertyNames", "unevaluatedProperties"}) {
    if (schema.contains(keyword)) return false;
  }
  const json properties = schema.value("properties", json());
  const json required = schema.value("required", json::array());
  return properties.is_object() && required.is_array() &&
         std::all_of(required.begin(), required.end(), [&](const json& name) {
           return name.is_string() && properties.contains(name.get<std::string>());
         });
}

// Returns the schema of the arguments, which are an object. Excludes members that are not listed if
// that changes nothing else, because small models would invent some.
std::string ArgumentSchema(json schema) {
  if (!schema.contains("type")) schema["type"] = "object";
  if (schema.size() == 1) schema["properties"] = json::object();
  if (MayClose(schema)) schema["additionalProperties"] = false;
  return DumpJson(schema);
}

// Reads the parameters of the function at `name`. `tool` gets the schema that the model sees.
void ParseParameters(Fields* function, const std::string& name, ChatTool* tool,
                     CallableTool* callable) {
  json parameters = function->Raw("parameters");
  if (parameters.is_null()) parameters = {{"type", "object"}, {"properties", json::object()}};
  callable->field = name + ".parameters";
  if (!parameters.is_object()) {
    return function->Fail(WrongType("parameters", "an object", parameters));
  }
  const json type = parameters.value("type", json("object"));
  if (type != "object") {
    return function->Fail(BadField(
        "parameters",
        fmt::format("Invalid '{}': the schema must have the type 'object'.", callable->field)));
  }
  tool->parameters = DumpJson(parameters);
  callable->parameters = ArgumentSchema(std::move(parameters));
}

// Reads a function: the member `function` of a tool, or an item of `functions`.
void ParseFunction(Fields* outer, const json& value, const std::string& member,
                   const std::string& name, ChatTool* tool, CallableTool* callable) {
  if (!value.is_object()) return outer->Fail(WrongType(member, "an object", value));
  Fields function(value);
  tool->name = function.String("name").value_or("");
  if (!IsName(tool->name)) {
    function.Fail(BadField(
        "name",
        fmt::format("Invalid '{}.name': expected 1 to {} letters, digits, '_', '-' and '.'.", name,
                    kMaxName)));
  }
  callable->name = tool->name;
  tool->description = function.String("description").value_or("");
  // Arguments follow the schema with and without `strict`.
  function.Bool("strict");
  ParseParameters(&function, name, tool, callable);
  outer->Close(function, member);
}

struct Offered {
  std::vector<ChatTool> shown;
  std::vector<CallableTool> callable;
};

void ParseTool(Fields* fields, const json& value, const std::string& name, ChatTool* tool,
               CallableTool* callable) {
  if (!value.is_object()) return fields->Fail(WrongType(name, "an object", value));
  Fields outer(value);
  const std::string type = outer.String("type").value_or("");
  if (type != "function") {
    outer.Fail(
        BadField("type", fmt::format("Invalid '{}.type': only 'function' is supported.", name)));
  }
  ParseFunction(&outer, outer.Raw("function"), "function", name + ".function", tool, callable);
  fields->Close(outer, name);
}

Offered ParseOffered(Fields* fields, const char* member, bool older) {
  Offered offered;
  const json& list = fields->Raw(member);
  if (list.is_null()) return offered;
  if (!list.is_array()) {
    fields->Fail(WrongType(member, "an array", list));
    return offered;
  }
  if (list.size() > kMaxTools) {
    fields->Fail(
        BadField(member, fmt::format("Invalid '{}': it has {} items; at most {} are accepted.",
                                     member, list.size(), kMaxTools)));
    return offered;
  }
  std::set<std::string> names;
  for (size_t i = 0; i < list.size() && !fields->error(); ++i) {
    const std::string name = fmt::format("{}[{}]", member, i);
    ChatTool tool;
    CallableTool callable;
    if (older) {
      ParseFunction(fields, list[i], name, name, &tool, &callable);
    } else {
      ParseTool(fields, list[i], name, &tool, &callable);
    }
    const std::string field = name + (older ? ".name" : ".function.name");
    if (!fields->error() && !names.insert(tool.name).second) {
      fields->Fail(BadField(field, fmt::format("Invalid '{}': '{}' is the name of an earlier tool.",
                                               field, tool.name)));
    }
    offered.shown.push_back(std::move(tool));
    offered.callable.push_back(std::move(callable));
  }
  return offered;
}

// Removes the tools that the choice does not name.
void KeepChosen(Fields* fields, const ToolChoice& choice, const char* field,
                std::vector<CallableTool>* tools) {
  if (!choice.names || fields->error()) return;
  for (const std::string& name : *choice.names) {
    const bool known = std::any_of(tools->begin(), tools->end(),
                                   [&](const CallableTool& tool) { return tool.name == name; });
    if (!known) {
      return fields->Fail(BadField(field, fmt::format("Invalid '{}': no function is named '{}'.",
                                                      field, name.substr(0, 100))));
    }
  }
  std::erase_if(*tools, [&](const CallableTool& tool) {
    return std::find(choice.names->begin(), choice.names->end(), tool.name) == choice.names->end();
  });
}

}  // namespace

bool ParseTools(Fields* fields, Conversation* conversation, Call* call) {
  const bool older = !fields->Raw("functions").is_null();
  if (older && !fields->Raw("tools").is_null()) {
    fields->Fail(BadField("functions", "'functions' and 'tools' exclude each other."));
  }
  Offered offered = ParseOffered(fields, older ? "functions" : "tools", older);
  const bool any = !offered.callable.empty();
  const ToolChoice with_tools = ParseToolChoice(fields, any && !older);
  const ToolChoice with_functions = ParseFunctionCall(fields, any && older);
  const ToolChoice& choice = older ? with_functions : with_tools;
  bool parallel = !older && !choice.one;
  if (any && !older) parallel = fields->Bool("parallel_tool_calls").value_or(true) && parallel;
  if (!any || choice.mode == ToolChoice::Mode::kNone) return older;
  KeepChosen(fields, choice, older ? "function_call" : "tool_choice", &offered.callable);
  conversation->tools = std::move(offered.shown);
  call->tools =
      CallTools{std::move(offered.callable), choice.mode == ToolChoice::Mode::kRequired, parallel};
  return older;
}

}  // namespace edgegate
