// Writes conversations, AnswerTraits and TemplateFacts to messages between the daemon and its
// worker processes, and reads them.
#pragma once

#include "engine/text/chat_template.h"
#include "engine/text/conversation.h"
#include "server/worker/wire.h"

namespace edgegate {

void PutConversation(const Conversation& conversation, WireWriter* message);

// Reads a conversation that PutConversation() wrote. If the message is damaged, the missing parts
// are empty and message->ok() is false.
Conversation GetConversation(WireReader* message);

void PutTraits(const AnswerTraits& traits, WireWriter* message);
AnswerTraits GetTraits(WireReader* message);

void PutFacts(const TemplateFacts& facts, WireWriter* message);
TemplateFacts GetFacts(WireReader* message);

}  // namespace edgegate
