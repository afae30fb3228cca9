#include "server/openai/messages.h"

#include <algorithm>

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

constexpr const char* kRoles[] = {"system", "developer", "user", "assistant", "tool"};

// The URL of an image_url part.
void ParseImage(Fields* fields, const std::string& param, const json& part, bool is_user,
                std::vector<ImageUrl>* images) {
  const std::string name = param + ".image_url";
  const json image = part.value("image_url", json());
  if (!is_user) {
    return fields->Fail(BadParam(param, fmt::format("Invalid '{}': only a message of the role "
                                                    "user can show pictures.",
                                                    param)));
  }
  if (!image.is_object()) return fields->Fail(WrongType(name, "an object with a url", image));
  const json url = image.value("url", json());
  if (!url.is_string()) return fields->Fail(WrongType(name + ".url", "a string", url));
  const json detail = image.value("detail", json());
  if (!detail.is_null() && detail != "auto" && detail != "low" && detail != "high") {
    return fields->Fail(BadParam(name + ".detail", fmt::format("Invalid '{}.detail': must be auto, "
                                                               "low or high.",
                                                               name)));
  }
  for (const auto& [key, value] : image.items()) {
    if (key == "url" || key == "detail") continue;
    return fields->Fail(BadParam(
        name + "." + key, fmt::format("Unrecognized request argument supplied: {}.{}", name, key)));
  }
  images->push_back({name + ".url", url.get<std::string>()});
}

// A string; text parts are joined by newlines, as vLLM does. Where there are pictures, the list of
// parts in its order, for the model's template.
json ParseContent(Fields* fields, const std::string& param, const json& content,
                  const std::string& role, std::vector<ImageUrl>* images) {
  if (content.is_string()) return content;
  if (content.is_null() && role == "assistant") return "";
  if (!content.is_array()) {
    fields->Fail(WrongType(param, "a string or an array of parts", content));
    return {};
  }
  const size_t images_before = images->size();
  json parts = json::array();
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
      parts.push_back({{"type", "text"}, {"text", part["text"]}});
    } else if (type == "image_url") {
      ParseImage(fields, name, part, role == "user", images);
      parts.push_back({{"type", "image"}});
    } else if (type == "input_audio" || type == "file") {
      fields->Fail(
          BadParam(name, fmt::format("'{}' is of type {}, which is not supported.", name, type)));
    } else {
      fields->Fail(BadParam(
          name, fmt::format("Invalid '{}': must be a part of type text or image_url.", name)));
    }
  }
  return images->size() > images_before ? parts : json(text);
}

json ParseMessage(Fields* fields, const json& message, const std::string& param,
                  std::vector<ImageUrl>* images) {
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
  json content =
      ParseContent(fields, param + ".content", message.value("content", json()), name, images);
  return {{"role", name == "developer" ? "system" : name}, {"content", std::move(content)}};
}

}  // namespace

std::string ParseMessages(Fields* fields, std::vector<ImageUrl>* images) {
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
    out.push_back(ParseMessage(fields, messages[i], fmt::format("messages[{}]", i), images));
  }
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace edgegate
