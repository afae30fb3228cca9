// Reads the items of a response's input: messages, calls, their results, and thoughts.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/text/conversation.h"
#include "server/api/json/fields.h"
#include "server/call/call.h"

namespace edgegate {

// Builds messages from items. A reasoning item, the message after it and the calls after that are
// one message of the assistant, as in a chat. Owned by one thread.
class ItemReader {
 public:
  // Errors go to `fields`. `images` gets the images, in order.
  ItemReader(Fields* fields, std::vector<ImageSource>* images) : fields_(fields), images_(images) {}

  // Reads one item. `path`: its path in the request, for errors.
  void Read(const nlohmann::ordered_json& item, const std::string& path);
  // Returns all messages.
  std::vector<ChatMessage> Take();

 private:
  using json = nlohmann::ordered_json;

  void ReadMessage(const json& item, const std::string& path);
  void ReadCall(const json& item, const std::string& path);
  void ReadOutput(const json& item, const std::string& path);
  void ReadReasoning(const json& item, const std::string& path);
  std::vector<ChatPart> ReadContent(const json& content, const std::string& path, bool images);
  std::optional<ChatPart> ReadPart(const json& part, const std::string& path, bool images);
  void ReadImage(const json& part, const std::string& path, bool images);

  Fields* const fields_;
  std::vector<ImageSource>* const images_;
  std::vector<ChatMessage> messages_;
  bool thought_ = false;  // the last message has only thoughts so far
};

}  // namespace edgegate
