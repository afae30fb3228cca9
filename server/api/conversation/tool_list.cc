#include "server/api/conversation/tool_list.h"

#include <algorithm>
#include <utility>

#include "server/api/json/dump.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

bool IsName(const std::string& name) {
  return !name.empty() && name.size() <= ToolList::kMaxName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.';
         });
}

// Returns the schema of the arguments, which are an object.
std::string ArgumentSchema(json schema) {
  if (!schema.contains("type")) schema["type"] = "object";
  if (schema.size() == 1) schema["properties"] = json::object();
  return DumpJson(schema);
}

bool Has(const std::vector<CallableTool>& tools, const std::string& name) {
  return std::any_of(tools.begin(), tools.end(),
                     [&](const CallableTool& tool) { return tool.name == name; });
}

}  // namespace

OfferedFunction ReadFunction(Fields* function, const std::string& path, const char* schema) {
  OfferedFunction offered;
  offered.name = function->String("name").value_or("");
  offered.description = function->String("description").value_or("");
  offered.schema = function->Raw(schema);
  offered.name_field = path + ".name";
  offered.schema_field = path + "." + schema;
  return offered;
}

std::optional<CallError> ToolList::Add(OfferedFunction function) {
  const std::string& field = function.name_field;
  if (shown_.size() >= kMaxTools) {
    return BadField(
        field, fmt::format("Invalid '{}': at most {} functions are accepted.", field, kMaxTools));
  }
  if (!IsName(function.name)) {
    return BadField(field,
                    fmt::format("Invalid '{}': expected 1 to {} letters, digits, '_', '-' and '.'.",
                                field, kMaxName));
  }
  if (Has(callable_, function.name)) {
    return BadField(field, fmt::format("Invalid '{}': '{}' is the name of an earlier tool.", field,
                                       function.name));
  }
  json& schema = function.schema;
  if (schema.is_null()) schema = {{"type", "object"}, {"properties", json::object()}};
  if (!schema.is_object()) return WrongType(function.schema_field, "an object", schema);
  if (schema.value("type", json("object")) != "object") {
    return BadField(function.schema_field,
                    fmt::format("Invalid '{}': the schema must have the type 'object'.",
                                function.schema_field));
  }
  shown_.push_back({function.name, std::move(function.description), DumpJson(schema)});
  callable_.push_back({std::move(function.name), ArgumentSchema(std::move(schema)),
                       std::move(function.schema_field)});
  return std::nullopt;
}

std::optional<CallError> ToolList::Keep(const std::vector<std::string>& names,
                                        const std::string& field) {
  for (const std::string& name : names) {
    if (Has(callable_, name)) continue;
    return BadField(
        field, fmt::format("Invalid '{}': no function is named '{}'.", field, name.substr(0, 100)));
  }
  std::erase_if(callable_, [&](const CallableTool& tool) {
    return std::find(names.begin(), names.end(), tool.name) == names.end();
  });
  return std::nullopt;
}

void ToolList::Offer(bool required, bool parallel, Conversation* conversation, Call* call) {
  if (callable_.empty()) return;
  conversation->tools = std::move(shown_);
  call->tools = CallTools{std::move(callable_), required, parallel};
}

}  // namespace edgegate
