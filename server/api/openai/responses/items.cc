#include "server/api/openai/responses/items.h"

#include <algorithm>
#include <utility>

#include "server/api/conversation/messages.h"
#include "server/api/conversation/video_parts.h"
#include "server/api/json/dump.h"

namespace edgegate {

using json = nlohmann::ordered_json;

void ItemReader::Read(const json& item, const std::string& path) {
  if (!item.is_object()) return fields_->Fail(WrongType(path, "an object", item));
  const std::string type = TypeOf(item);
  if (type == "message" || (type.empty() && item.contains("role"))) return ReadMessage(item, path);
  if (type == "function_call") return ReadCall(item, path);
  if (type == "function_call_output") return ReadOutput(item, path);
  if (type == "reasoning") return ReadReasoning(item, path);
  fields_->Fail(
      BadField(path + ".type",
               fmt::format("Invalid '{}.type': '{}' is not supported. Supported items are message, "
                           "function_call, function_call_output, reasoning and item_reference.",
                           path, type.substr(0, 100))));
}

std::vector<ChatMessage> ItemReader::Take() {
  NameResults(&messages_);
  return std::move(messages_);
}

void ItemReader::ReadMessage(const json& item, const std::string& path) {
  std::string role = TextMember(fields_, item, "role", path);
  if (role == "developer") role = "system";
  if (role != "system" && role != "user" && role != "assistant") {
    return fields_->Fail(BadField(
        path + ".role",
        fmt::format("Invalid '{}.role': expected user, assistant, system or developer.", path),
        "invalid_value"));
  }
  fields_->WarnOfOthers(item, path, {"type", "role", "content", "id", "status", "phase"});
  auto parts = ReadContent(MemberOf(item, "content"), path + ".content", role == "user");
  if (role == "assistant" && thought_) {
    messages_.back().parts = std::move(parts);
  } else {
    messages_.push_back({role, std::move(parts)});
  }
  thought_ = false;
}

void ItemReader::ReadCall(const json& item, const std::string& path) {
  fields_->WarnOfOthers(
      item, path, {"type", "id", "call_id", "name", "arguments", "status", "caller", "namespace"});
  ChatCall call = ReadPastCall(fields_, TextMember(fields_, item, "name", path),
                               TextMember(fields_, item, "arguments", path), path + ".name",
                               path + ".arguments");
  call.id = TextMember(fields_, item, "call_id", path);
  if (call.id.empty()) fields_->Fail(MissingField(path + ".call_id"));
  if (messages_.empty() || messages_.back().role != "assistant") {
    messages_.push_back({"assistant", TextPart("")});
  }
  messages_.back().calls.push_back(std::move(call));
  thought_ = false;
}

void ItemReader::ReadOutput(const json& item, const std::string& path) {
  fields_->WarnOfOthers(
      item, path, {"type", "id", "call_id", "output", "status", "caller", "name", "namespace"});
  ChatMessage message{"tool", ReadContent(MemberOf(item, "output"), path + ".output", true)};
  message.call_id = TextMember(fields_, item, "call_id", path);
  if (message.call_id.empty()) fields_->Fail(MissingField(path + ".call_id"));
  messages_.push_back(std::move(message));
  thought_ = false;
}

// Thoughts that are encrypted or summarized by another server are not known here. They are left
// out.
void ItemReader::ReadReasoning(const json& item, const std::string& path) {
  fields_->WarnOfOthers(item, path,
                        {"type", "id", "summary", "content", "encrypted_content", "status"});
  const json& content = MemberOf(item, "content");
  std::string thoughts;
  if (!content.is_null() && !content.is_array()) {
    return fields_->Fail(WrongType(path + ".content", "an array of parts", content));
  }
  for (size_t i = 0; i < content.size(); ++i) {
    const std::string name = fmt::format("{}.content[{}]", path, i);
    if (TypeOf(content[i]) != "reasoning_text") {
      return fields_->Fail(BadField(
          name, fmt::format("Invalid '{}': must be a part of type reasoning_text.", name)));
    }
    thoughts += TextMember(fields_, content[i], "text", name);
  }
  if (thoughts.empty()) return;
  messages_.push_back({"assistant", TextPart("")});
  messages_.back().reasoning = std::move(thoughts);
  thought_ = true;
}

std::vector<ChatPart> ItemReader::ReadContent(const json& content, const std::string& path,
                                              bool images) {
  if (content.is_string()) return TextPart(content.get<std::string>());
  if (!content.is_array()) {
    fields_->Fail(WrongType(path, "a string or an array of parts", content));
    return {};
  }
  std::vector<ChatPart> parts;
  for (size_t i = 0; i < content.size() && !fields_->error(); ++i) {
    if (auto part = ReadPart(content[i], fmt::format("{}[{}]", path, i), images)) {
      parts.push_back(*std::move(part));
    }
  }
  return JoinTexts(std::move(parts));
}

std::optional<ChatPart> ItemReader::ReadPart(const json& part, const std::string& path,
                                             bool images) {
  const std::string type = TypeOf(part);
  if (type == "input_text" || type == "output_text" || type == "text") {
    fields_->WarnOfOthers(part, path,
                          {"type", "text", "annotations", "logprobs", "prompt_cache_breakpoint"});
    const json& text = MemberOf(part, "text");
    if (text.is_string()) return ChatPart{ChatPart::Kind::kText, text.get<std::string>()};
    fields_->Fail(WrongType(path + ".text", "a string", text));
  } else if (type == "refusal") {
    return ChatPart{ChatPart::Kind::kText, TextMember(fields_, part, "refusal", path)};
  } else if (type == "input_image") {
    fields_->WarnOfOthers(part, path,
                          {"type", "image_url", "file_id", "detail", "prompt_cache_breakpoint"});
    ReadImage(part, path, images);
    return ChatPart{ChatPart::Kind::kImage, ""};
  } else if (IsVideoPart(type)) {
    ReadVideoPart(fields_, part, path, images, images_);
    return ChatPart{ChatPart::Kind::kImage, ""};
  } else {
    fields_->Fail(BadField(path, fmt::format("Invalid '{}': the type '{}' is not supported. "
                                             "Supported parts are input_text, output_text, "
                                             "refusal, input_image and input_video.",
                                             path, type.substr(0, 100))));
  }
  return std::nullopt;
}

void ItemReader::ReadImage(const json& part, const std::string& path, bool images) {
  if (!images) {
    return fields_->Fail(BadField(
        path,
        fmt::format("Invalid '{}': only a message of the role user and the output of a function "
                    "can show images.",
                    path)));
  }
  if (!MemberOf(part, "file_id").is_null()) {
    return fields_->Fail(
        BadField(path + ".file_id", fmt::format("'{}.file_id' is not supported.", path)));
  }
  const json& url = MemberOf(part, "image_url");
  if (!url.is_string()) return fields_->Fail(WrongType(path + ".image_url", "a string", url));
  const json& detail = MemberOf(part, "detail");
  if (!detail.is_null() && detail != "auto") fields_->warnings().NoEffect(path + ".detail");
  images_->push_back({path + ".image_url", url.get<std::string>()});
}

}  // namespace edgegate
