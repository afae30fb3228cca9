#include "server/api/openai/tool_choice.h"

#include <utility>

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;
using Mode = ToolChoice::Mode;

// Returns the name in {"type": "function", "function": {"name": NAME}}. Empty after an error.
std::string NamedFunction(Fields* fields, const json& value, const std::string& name) {
  if (!value.is_object()) {
    fields->Fail(WrongType(name, "an object", value));
    return {};
  }
  Fields outer(value, name);
  if (outer.String("type").value_or("") != "function") {
    outer.Fail(
        BadField(name + ".type", fmt::format("Invalid '{}.type': expected 'function'.", name)));
  }
  const json& function = outer.Raw("function");
  std::string chosen;
  if (!function.is_object()) {
    outer.Fail(WrongType(name + ".function", "an object", function));
  } else {
    Fields inner(function, name + ".function");
    chosen = inner.String("name").value_or("");
    if (chosen.empty()) inner.Fail(MissingField(name + ".function.name"));
    outer.Adopt(&inner);
  }
  fields->Adopt(&outer);
  return chosen;
}

ToolChoice ParseAllowed(Fields* fields, const json& allowed) {
  const std::string name = "tool_choice.allowed_tools";
  ToolChoice choice;
  choice.names.emplace();
  if (!allowed.is_object()) {
    fields->Fail(WrongType(name, "an object", allowed));
    return choice;
  }
  Fields inner(allowed, name);
  const std::string mode = inner.String("mode").value_or("");
  if (mode != "auto" && mode != "required") {
    inner.Fail(BadField(name + ".mode",
                        fmt::format("Invalid '{}.mode': expected 'auto' or 'required'.", name)));
  }
  choice.mode = mode == "required" ? Mode::kRequired : Mode::kAuto;
  const json& tools = inner.Raw("tools");
  if (!tools.is_array() || tools.empty()) {
    inner.Fail(
        BadField(name + ".tools",
                 fmt::format("Invalid '{}.tools': expected an array of at least one tool.", name)));
  } else {
    for (size_t i = 0; i < tools.size(); ++i) {
      choice.names->push_back(
          NamedFunction(fields, tools[i], fmt::format("{}.tools[{}]", name, i)));
    }
  }
  fields->Adopt(&inner);
  return choice;
}

// Reads "none" and "auto". nullopt: the value is neither.
std::optional<ToolChoice> Word(const json& value) {
  if (value == "none") return ToolChoice{Mode::kNone, {}, false};
  if (value == "auto") return ToolChoice{Mode::kAuto, {}, false};
  return std::nullopt;
}

// Reads the choice of a request without tools. Only "none" is valid.
ToolChoice WithoutTools(Fields* fields, const char* member, const char* tools) {
  const json& value = fields->Raw(member);
  if (!value.is_null() && value != "none") {
    fields->Fail(BadField(
        member,
        fmt::format("Invalid '{}': it is only allowed where '{}' are given.", member, tools)));
  }
  return {Mode::kNone, {}, false};
}

}  // namespace

ToolChoice ParseToolChoice(Fields* fields, bool any_tools) {
  if (!any_tools) return WithoutTools(fields, "tool_choice", "tools");
  const json& value = fields->Raw("tool_choice");
  if (value.is_null()) return {};
  if (auto word = Word(value)) return *word;
  if (value == "required") return {Mode::kRequired, {}, false};
  if (!value.is_object()) {
    fields->Fail(BadField(
        "tool_choice", "Invalid 'tool_choice': expected 'none', 'auto', 'required' or an object."));
    return {};
  }
  if (value.value("type", json()) == "allowed_tools") {
    fields->WarnOfOthers(value, "tool_choice", {"type", "allowed_tools"});
    return ParseAllowed(fields, value.value("allowed_tools", json()));
  }
  return {Mode::kRequired, std::vector{NamedFunction(fields, value, "tool_choice")}, true};
}

ToolChoice ParseFunctionCall(Fields* fields, bool any_functions) {
  if (!any_functions) return WithoutTools(fields, "function_call", "functions");
  const json& value = fields->Raw("function_call");
  if (value.is_null()) return {};
  if (auto word = Word(value)) return *word;
  if (!value.is_object()) {
    fields->Fail(BadField("function_call",
                          "Invalid 'function_call': expected 'none', 'auto' or an object."));
    return {};
  }
  Fields inner(value, "function_call");
  const std::string name = inner.String("name").value_or("");
  if (name.empty()) inner.Fail(MissingField("function_call.name"));
  fields->Adopt(&inner);
  return {Mode::kRequired, std::vector{name}, true};
}

}  // namespace edgegate
