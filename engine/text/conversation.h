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

// A call of a tool by the model.
struct ChatCall {
  std::string id;  // may be empty
  std::string name;
  std::string arguments;  // a JSON object
};

struct ChatMessage {
  std::string role;
  std::vector<ChatPart> parts;
  std::vector<ChatCall> calls = {};  // of the assistant
  std::string name = {};       // of the function whose result a tool's message has; may be empty
  std::string call_id = {};    // the call that a tool's message answers; may be empty
  std::string reasoning = {};  // of the assistant, before its content; may be empty
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
  // The prompt ends with the text of the last message, so that the answer continues it. The last
  // message is one of the assistant, without calls. `add_generation_prompt` is false.
  bool continue_final_message = false;

  int num_images() const {
    int count = 0;
    for (const ChatMessage& message : messages) {
      for (const ChatPart& part : message.parts) count += part.kind == ChatPart::Kind::kImage;
    }
    return count;
  }
};

}  // namespace edgegate
