#include "server/api/openai/messages.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "server/api/conversation/messages.h"
#include "server/api/conversation/video_parts.h"
#include "server/api/json/dump.h"
#include "server/api/openai/message_calls.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

constexpr const char* kRoles[] = {"system", "developer", "user", "assistant", "tool", "function"};

// Reads the URL of an image_url part.
void ParseImage(Fields* fields, const std::string& param, const json& part, bool is_user,
                std::vector<ImageSource>* images) {
  const std::string name = param + ".image_url";
  const json image = part.value("image_url", json());
  if (!is_user) {
    return fields->Fail(BadField(param, fmt::format("Invalid '{}': only a message of the role "
                                                    "user can show images.",
                                                    param)));
  }
  if (!image.is_object()) return fields->Fail(WrongType(name, "an object with a url", image));
  const json url = image.value("url", json());
  if (!url.is_string()) return fields->Fail(WrongType(name + ".url", "a string", url));
  const json detail = image.value("detail", json());
  if (detail == "low" || detail == "high" || detail == "original") {
    fields->warnings().NoEffect(name + ".detail");
  } else if (!detail.is_null() && detail != "auto") {
    return fields->Fail(BadField(name + ".detail", fmt::format("Invalid '{}.detail': must be auto, "
                                                               "low, high or original.",
                                                               name)));
  }
  fields->WarnOfOthers(image, name, {"url", "detail"});
  images->push_back({name + ".url", url.get<std::string>()});
}

bool IsText(const json& part) { return part.contains("text") && part["text"].is_string(); }

std::string TypeOf(const json& part) {
  const auto type = part.is_object() ? part.find("type") : part.end();
  return type != part.end() && type->is_string() ? type->get<std::string>() : "";
}

// Reads one part of a message's content. nullopt: the part is not valid.
std::optional<ChatPart> ParsePart(Fields* fields, const std::string& name, const json& part,
                                  bool is_user, std::vector<ImageSource>* images) {
  const std::string type = TypeOf(part);
  if (type == "text" && IsText(part)) {
    fields->WarnOfOthers(part, name, {"type", "text", "prompt_cache_breakpoint"});
    return ChatPart{ChatPart::Kind::kText, part["text"].get<std::string>()};
  }
  if (type == "image_url") {
    ParseImage(fields, name, part, is_user, images);
    fields->WarnOfOthers(part, name, {"type", "image_url", "prompt_cache_breakpoint"});
    return ChatPart{ChatPart::Kind::kImage, ""};
  }
  if (IsVideoPart(type)) {
    ReadVideoPart(fields, part, name, is_user, images);
    return ChatPart{ChatPart::Kind::kImage, ""};
  }
  if (type == "input_audio" || type == "file") {
    fields->Fail(
        BadField(name, fmt::format("'{}' is of type {}, which is not supported.", name, type)));
  } else {
    fields->Fail(BadField(
        name,
        fmt::format("Invalid '{}': must be a part of type text, image_url or video_url.", name)));
  }
  return std::nullopt;
}

std::vector<ChatPart> ParseContent(Fields* fields, const std::string& name, const json& content,
                                   const std::string& role, std::vector<ImageSource>* images) {
  if (content.is_string()) return {{ChatPart::Kind::kText, content.get<std::string>()}};
  if (content.is_null() && role == "assistant") return {{ChatPart::Kind::kText, ""}};
  if (!content.is_array()) {
    fields->Fail(WrongType(name, "a string or an array of parts", content));
    return {};
  }
  std::vector<ChatPart> parts;
  for (size_t i = 0; i < content.size(); ++i) {
    auto part =
        ParsePart(fields, fmt::format("{}[{}]", name, i), content[i], role == "user", images);
    if (part) parts.push_back(*std::move(part));
  }
  return JoinTexts(std::move(parts));
}

// Adds warnings for members of a message that no reader reads. Answers of this API may be sent back
// unchanged.
void WarnOfMembers(Fields* fields, const json& message, const std::string& name,
                   const std::string& role) {
  fields->WarnOfOthers(message, name,
                       {"role", "content", "name", "tool_calls", "tool_call_id", "function_call",
                        "reasoning_content", "refusal", "audio", "annotations"});
  const auto warn = [&](const char* member) {
    const json& value = MemberOf(message, member);
    if (!value.is_null() && value != "") fields->warnings().NoEffect(name + "." + member);
  };
  for (const char* member : {"refusal", "audio"}) warn(member);
  if (role != "tool") {
    for (const char* member : {"name", "tool_call_id"}) warn(member);
  }
  if (role != "assistant") {
    for (const char* member : {"function_call", "reasoning_content"}) warn(member);
  }
}

ChatMessage ParseMessage(Fields* fields, const json& message, const std::string& name,
                         std::vector<ImageSource>* images) {
  if (!message.is_object()) {
    fields->Fail(WrongType(name, "an object", message));
    return {};
  }
  const json role = message.value("role", json());
  const bool known = role.is_string() && std::find(std::begin(kRoles), std::end(kRoles),
                                                   role.get<std::string>()) != std::end(kRoles);
  if (!known) {
    fields->Fail(BadField(name + ".role",
                          fmt::format("Invalid value for '{}.role': {}. Supported values are: "
                                      "system, developer, user, assistant, tool and function.",
                                      name, DumpJson(role)),
                          "invalid_value"));
    return {};
  }
  const std::string sender = role.get<std::string>();
  ChatMessage parsed;
  parsed.role = sender == "developer" ? "system" : sender == "function" ? "tool" : sender;
  parsed.parts =
      ParseContent(fields, name + ".content", message.value("content", json()), sender, images);
  ParseMessageCalls(fields, message, name, &parsed);
  WarnOfMembers(fields, message, name, parsed.role);
  return parsed;
}

}  // namespace

std::vector<ChatMessage> ParseMessages(Fields* fields, std::vector<ImageSource>* images) {
  const json& messages = fields->Raw("messages");
  if (messages.is_null()) {
    fields->Fail(BadField("messages", "Missing required parameter: 'messages'.",
                          "missing_required_parameter"));
    return {};
  }
  if (!messages.is_array() || messages.empty()) {
    fields->Fail(
        BadField("messages", "Invalid 'messages': expected an array of at least one message."));
    return {};
  }
  std::vector<ChatMessage> parsed;
  for (size_t i = 0; i < messages.size(); ++i) {
    parsed.push_back(ParseMessage(fields, messages[i], fmt::format("messages[{}]", i), images));
  }
  NameResults(&parsed);
  return parsed;
}

}  // namespace edgegate
