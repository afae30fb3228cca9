// Drops the oldest turns of a conversation that is too long for the context.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "engine/base/status.h"
#include "engine/text/chat_template.h"
#include "engine/text/conversation.h"

namespace edgegate {

// Returns the number of turns that may be dropped. A turn begins with a message of the user and
// ends before the next one that follows a message of another role. Messages of the system before
// the first turn, and the last turn, always stay.
size_t CountDroppable(const Conversation& conversation);

// Returns the conversation without its oldest `turns` turns. `images`: receives the number of
// images that were dropped. Precondition: turns <= CountDroppable().
Conversation DropTurns(const Conversation& conversation, size_t turns, size_t* images);

// Returns the bytes of the texts of all messages.
size_t BytesOfMessages(const Conversation& conversation);

struct TurnLimits {
  int64_t bytes;  // longer texts are not tokenized
  int context;    // tokens
  int room;       // tokens that are kept for the answer if turns are dropped
};

// The prompt of the turns that were kept.
struct FittedChat {
  ChatPrompt prompt;
  size_t turns = 0;   // that were dropped
  size_t images = 0;  // of these turns
};

// Tokenizes a conversation that lacks the first `images` images of the whole one.
using EncodeTurns =
    std::function<Result<ChatPrompt>(const Conversation& conversation, size_t images)>;

// Tokenizes the conversation. If it is too long for the context, drops as few of the oldest turns
// as possible. If the last turn alone is too long, the prompt or error is that of the last turn.
// Calls `encode` a number of times that is logarithmic in the number of turns. Errors are those of
// `encode`, and kResourceExhausted: the texts exceed the limit.
Result<FittedChat> FitTurns(const Conversation& conversation, const TurnLimits& limits,
                            const EncodeTurns& encode);

}  // namespace edgegate
