// Builds the messages of a conversation. All protocols share this code, so that the same turns give
// the same tokens.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/text/conversation.h"
#include "server/api/json/fields.h"

namespace edgegate {

// Returns a content of one text.
std::vector<ChatPart> TextPart(std::string text);

// If there are no images, joins all texts by newlines to one part.
std::vector<ChatPart> JoinTexts(std::vector<ChatPart> parts);

// Reads a call of a past answer. `arguments`: the text of a JSON object, or empty. `name_field` and
// `arguments_field` are the paths of the members, for errors.
ChatCall ReadPastCall(Fields* fields, std::string name, std::string arguments,
                      const std::string& name_field, const std::string& arguments_field);

// Sets the function's name in each result whose call is in an earlier message.
void NameResults(std::vector<ChatMessage>* messages);

// Has the answer continue the last message, if that is one of the assistant without calls. Returns
// false if it is not.
bool ContinueFinalMessage(Conversation* conversation);

// True if `effort` is one of OpenAI's efforts of thinking.
bool IsEffort(const std::string& effort);
// Returns the message of the error for another effort.
std::string InvalidEffort(const std::string& field);
// Sets the template's variables for a wanted effort of thinking, unless the request sets them
// itself. `variables` is an object or null.
void SetEffort(const std::string& effort, nlohmann::ordered_json* variables);

}  // namespace edgegate
