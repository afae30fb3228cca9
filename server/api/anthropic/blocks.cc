#include "server/api/anthropic/blocks.h"

#include <utility>

#include "server/api/conversation/messages.h"
#include "server/api/json/dump.h"

namespace edgegate {

using json = nlohmann::ordered_json;

void BlockReader::ReadSystem(const json& system) {
  if (system.is_null()) return;
  auto parts = ReadTexts(system, "system");
  if (!parts.empty() && !parts[0].text.empty()) messages_.push_back({"system", std::move(parts)});
}

void BlockReader::ReadMessage(const json& message, const std::string& path) {
  if (!message.is_object()) return fields_->Fail(WrongType(path, "an object", message));
  const std::string role = Text(message, "role", path);
  if (role != "user" && role != "assistant" && role != "system") {
    return fields_->Fail(BadField(
        path + ".role", fmt::format("Invalid '{}.role': expected 'user' or 'assistant'.", path)));
  }
  fields_->WarnOfOthers(message, path, {"role", "content"});
  const json& content = MemberOf(message, "content");
  const std::string name = path + ".content";
  if (content.is_string() || role == "system") {
    messages_.push_back({role, ReadTexts(content, name)});
    return;
  }
  if (!content.is_array()) {
    return fields_->Fail(WrongType(name, "a string or an array of blocks", content));
  }
  Content read;
  for (size_t i = 0; i < content.size() && !fields_->error(); ++i) {
    ReadBlock(content[i], role, fmt::format("{}[{}]", name, i), &read);
  }
  // Results of tools come before the message, and so do their images.
  images_->insert(images_->end(), read.images.begin(), read.images.end());
  // A message that has only results of tools is complete: they are messages of their own.
  if (role == "user" && read.parts.empty() && !content.empty()) return;
  ChatMessage out{role, JoinTexts(std::move(read.parts))};
  out.calls = std::move(read.calls);
  out.reasoning = std::move(read.reasoning);
  messages_.push_back(std::move(out));
}

std::vector<ChatMessage> BlockReader::Take() {
  NameResults(&messages_);
  return std::move(messages_);
}

std::string BlockReader::Text(const json& object, const char* member, const std::string& path) {
  const json& value = MemberOf(object, member);
  if (!value.is_string()) {
    fields_->Fail(WrongType(path + "." + member, "a string", value));
    return {};
  }
  return value.get<std::string>();
}

void BlockReader::ReadBlock(const json& block, const std::string& role, const std::string& path,
                            Content* content) {
  if (!block.is_object()) return fields_->Fail(WrongType(path, "an object", block));
  const std::string type = TypeOf(block);
  if (type == "text") {
    fields_->WarnOfOthers(block, path, {"type", "text", "cache_control", "citations"});
    content->parts.push_back({ChatPart::Kind::kText, Text(block, "text", path)});
  } else if (type == "image" && role == "user") {
    ReadImage(block, path, &content->images);
    content->parts.push_back({ChatPart::Kind::kImage, ""});
  } else if (type == "tool_result" && role == "user") {
    ReadResult(block, path);
  } else if (role == "assistant") {
    ReadOfAssistant(block, type, path, content);
  } else {
    fields_->Fail(BadField(
        path + ".type",
        fmt::format("Invalid '{}.type': '{}' is not supported in a message of the role {}. "
                    "Supported blocks are text, image and tool_result of a user, and text, "
                    "tool_use and thinking of the assistant.",
                    path, type.substr(0, 100), role)));
  }
}

void BlockReader::ReadOfAssistant(const json& block, const std::string& type,
                                  const std::string& path, Content* content) {
  if (type == "thinking") {
    fields_->WarnOfOthers(block, path, {"type", "thinking", "signature"});
    content->reasoning += Text(block, "thinking", path);
  } else if (type == "redacted_thinking") {
    warnings_->Add(fmt::format("'{}' was left out: it cannot be read here.", path));
  } else if (type == "tool_use") {
    fields_->WarnOfOthers(block, path, {"type", "id", "name", "input", "cache_control", "caller"});
    const json& input = MemberOf(block, "input");
    if (!input.is_object()) {
      return fields_->Fail(WrongType(path + ".input", "an object", input));
    }
    ChatCall call = ReadPastCall(fields_, Text(block, "name", path), DumpSpaced(input),
                                 path + ".name", path + ".input");
    call.id = Text(block, "id", path);
    content->calls.push_back(std::move(call));
  } else {
    fields_->Fail(BadField(
        path + ".type",
        fmt::format("Invalid '{}.type': '{}' is not supported in a message of the assistant.", path,
                    type.substr(0, 100))));
  }
}

void BlockReader::ReadResult(const json& block, const std::string& path) {
  fields_->WarnOfOthers(block, path,
                        {"type", "tool_use_id", "content", "is_error", "cache_control"});
  const json& content = MemberOf(block, "content");
  ChatMessage message{
      "tool", content.is_null() ? TextPart("") : ReadTexts(content, path + ".content", images_)};
  message.call_id = Text(block, "tool_use_id", path);
  messages_.push_back(std::move(message));
}

void BlockReader::ReadImage(const json& block, const std::string& path,
                            std::vector<ImageSource>* images) {
  const std::string name = path + ".source";
  fields_->WarnOfOthers(block, path, {"type", "source", "cache_control"});
  const json& source = MemberOf(block, "source");
  if (!source.is_object()) return fields_->Fail(WrongType(name, "an object", source));
  fields_->WarnOfOthers(source, name, {"type", "url", "media_type", "data"});
  const std::string type = TypeOf(source);
  if (type == "url") {
    images->push_back({name + ".url", Text(source, "url", name)});
  } else if (type == "base64") {
    images->push_back({name + ".data", "data:" + Text(source, "media_type", name) + ";base64," +
                                           Text(source, "data", name)});
  } else {
    fields_->Fail(BadField(name + ".type",
                           fmt::format("Invalid '{}.type': expected 'base64' or 'url'.", name)));
  }
}

std::vector<ChatPart> BlockReader::ReadTexts(const json& value, const std::string& path,
                                             std::vector<ImageSource>* images) {
  if (value.is_string()) return TextPart(value.get<std::string>());
  if (!value.is_array()) {
    fields_->Fail(WrongType(path, "a string or an array of text blocks", value));
    return {};
  }
  std::vector<ChatPart> parts;
  for (size_t i = 0; i < value.size() && !fields_->error(); ++i) {
    const std::string name = fmt::format("{}[{}]", path, i);
    if (images != nullptr && TypeOf(value[i]) == "image") {
      ReadImage(value[i], name, images);
      parts.push_back({ChatPart::Kind::kImage, ""});
      continue;
    }
    if (TypeOf(value[i]) != "text") {
      fields_->Fail(
          BadField(name, fmt::format("Invalid '{}': only blocks of type {} are supported here.",
                                     name, images != nullptr ? "text and image" : "text")));
      return {};
    }
    fields_->WarnOfOthers(value[i], name, {"type", "text", "cache_control", "citations"});
    parts.push_back({ChatPart::Kind::kText, Text(value[i], "text", name)});
  }
  return JoinTexts(std::move(parts));
}

}  // namespace edgegate
