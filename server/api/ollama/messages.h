// Reads the messages and tools of Ollama's /api/chat.
#pragma once

#include <vector>

#include "server/api/json/fields.h"
#include "server/call/call.h"

namespace edgegate {

// Reads `messages`. Images of a message stand before its text. Errors go to `fields`.
std::vector<ChatMessage> ParseOllamaMessages(Fields* fields, std::vector<ImageSource>* images);

// Reads `tools` to the conversation and to the call. Errors go to `fields`.
void ParseOllamaTools(Fields* fields, Conversation* conversation, Call* call);

}  // namespace edgegate
