// A conversation, the input of a chat template.
#pragma once

#include <string>
#include <vector>

namespace edgegate {

struct ChatPart {
  enum class Kind { kText, kImage };
  Kind kind = Kind::kText;
  std::string text;  // empty for an image
};

struct ChatMessage {
  std::string role;
  std::vector<ChatPart> parts;
};

// A function that the model may call.
struct ChatTool {
  std::string name;
  std::string description;
  std::string parameters;  // a JSON schema; empty: it takes no arguments
};

struct Conversation {
  std::vector<ChatMessage> messages;
  std::vector<ChatTool> tools;
  std::string template_kwargs;  // a JSON object of further template variables, or empty
  bool add_generation_prompt = true;

  int num_images() const {
    int count = 0;
    for (const ChatMessage& message : messages) {
      for (const ChatPart& part : message.parts) count += part.kind == ChatPart::Kind::kImage;
    }
    return count;
  }
};

}  // namespace edgegate
