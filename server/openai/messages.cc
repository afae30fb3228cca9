#include "server/openai/messages.h"

#include <algorithm>

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

constexpr const char* kRoles[] = {"system", "developer", "user", "assistant", "tool"};

// A content's text: a string, or text parts joined by newlines, as vLLM does.
std::string ContentText(Fields* fields, const std::string& param, const json& content,
                        bool may_be_null) {
  if (content.is_string()) return content.get<std::string>();
  if (content.is_null() && may_be_null) return {};
  if (!content.is_array()) {
    fields->Fail(WrongType(param, "a string or an array of parts", content));
    return {};
  }
  std::string text;
  for (size_t i = 0; i < content.size(); ++i) {
    const json& part = content[i];
    const std::string name = fmt::format("{}[{}]", param, i);
    const std::string type = part.is_object() && part.contains("type") && part["type"].is_string()
                                 ? part["type"].get<std::string>()
                                 : "";
    if (type == "text" && part.contains("text") && part["text"].is_string()) {
      if (i > 0) text += "\n";
      text += part["text"].get<std::string>();
    } else if (type == "image_url" || type == "input_audio" || type == "file") {
      fields->Fail(BadParam(
          name, fmt::format("'{}' is of type {}, but this model takes text only.", name, type)));
    } else {
      fields->Fail(BadParam(name, fmt::format("Invalid '{}': must be a part of type text.", name)));
    }
  }
  return text;
}

json ParseMessage(Fields* fields, const json& message, const std::string& param) {
  if (!message.is_object()) {
    fields->Fail(WrongType(param, "an object", message));
    return {};
  }
  const json role = message.value("role", json());
  const bool known = role.is_string() && std::find(std::begin(kRoles), std::end(kRoles),
                                                   role.get<std::string>()) != std::end(kRoles);
  if (!known) {
    fields->Fail(
        BadParam(param + ".role",
                 fmt::format("Invalid value for '{}.role': {}. Supported values are: "
                             "system, developer, user, assistant and tool.",
                             param, role.dump(-1, ' ', false, json::error_handler_t::replace)),
                 "invalid_value"));
    return {};
  }
  if (!message.value("tool_calls", json()).is_null()) {
    fields->Fail(BadParam(param + ".tool_calls", "'tool_calls' is not supported."));
  }
  const std::string name = role.get<std::string>();
  const std::string text = ContentText(fields, param + ".content", message.value("content", json()),
                                       name == "assistant");
  return {{"role", name == "developer" ? "system" : name}, {"content", text}};
}

}  // namespace

std::string ParseMessages(Fields* fields) {
  const json& messages = fields->Raw("messages");
  if (messages.is_null()) {
    fields->Fail(BadParam("messages", "Missing required parameter: 'messages'.",
                          "missing_required_parameter"));
    return {};
  }
  if (!messages.is_array() || messages.empty()) {
    fields->Fail(BadParam("messages",
                          "Invalid 'messages': expected an array of at least one "
                          "message."));
    return {};
  }
  json out = json::array();
  for (size_t i = 0; i < messages.size(); ++i) {
    out.push_back(ParseMessage(fields, messages[i], fmt::format("messages[{}]", i)));
  }
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace edgegate
