// Conversations, and how models answer them, in messages between the daemon and its worker
// processes.
#pragma once

#include "engine/text/chat_template.h"
#include "engine/text/conversation.h"
#include "server/worker/wire.h"

namespace edgegate {

void PutConversation(const Conversation& conversation, WireWriter* message);

// Reads what PutConversation() wrote. What a damaged message lacks is empty, and message->ok() is
// false then.
Conversation GetConversation(WireReader* message);

void PutTraits(const AnswerTraits& traits, WireWriter* message);
AnswerTraits GetTraits(WireReader* message);

}  // namespace edgegate
