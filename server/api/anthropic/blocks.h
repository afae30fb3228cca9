// Reads the messages of Anthropic's API, whose contents are texts or lists of blocks.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/text/conversation.h"
#include "server/api/json/fields.h"
#include "server/api/warnings.h"
#include "server/call/call.h"

namespace edgegate {

// Builds messages. Results of tools in a user's message become messages of the role tool. Owned by
// one thread.
class BlockReader {
 public:
  // Errors go to `fields`. `images` gets the images, in order.
  BlockReader(Fields* fields, std::vector<ImageSource>* images, Warnings* warnings)
      : fields_(fields), images_(images), warnings_(warnings) {}

  // Reads `system`: a text or text blocks.
  void ReadSystem(const nlohmann::ordered_json& system);
  // Reads one message. `path`: its path in the request, for errors.
  void ReadMessage(const nlohmann::ordered_json& message, const std::string& path);
  // Returns all messages.
  std::vector<ChatMessage> Take();

 private:
  using json = nlohmann::ordered_json;

  // The content of a message without results of tools.
  struct Content {
    std::vector<ChatPart> parts;
    std::vector<ChatCall> calls;
    std::string reasoning;
    std::vector<ImageSource> images;
  };

  void ReadBlock(const json& block, const std::string& role, const std::string& path,
                 Content* content);
  void ReadOfAssistant(const json& block, const std::string& type, const std::string& path,
                       Content* content);
  void ReadResult(const json& block, const std::string& path);
  void ReadImage(const json& block, const std::string& path, std::vector<ImageSource>* images);
  // Reads a text, or a list of text blocks. `images`: receives the images of image blocks; null:
  // there may be none.
  std::vector<ChatPart> ReadTexts(const json& value, const std::string& path,
                                  std::vector<ImageSource>* images = nullptr);
  std::string Text(const json& object, const char* member, const std::string& path);

  Fields* const fields_;
  std::vector<ImageSource>* const images_;
  Warnings* const warnings_;
  std::vector<ChatMessage> messages_;
};

}  // namespace edgegate
