#include "server/call/turns.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace edgegate {
namespace {

// Returns the indices of the messages that begin turns, the first message behind the system's ones
// included.
std::vector<size_t> Starts(const Conversation& conversation) {
  const std::vector<ChatMessage>& messages = conversation.messages;
  std::vector<size_t> starts;
  size_t first = 0;
  while (first < messages.size() && messages[first].role == "system") ++first;
  for (size_t i = first; i < messages.size(); ++i) {
    const bool user = messages[i].role == "user";
    if (i == first || (user && messages[i - 1].role != "user")) starts.push_back(i);
  }
  return starts;
}

}  // namespace

size_t CountDroppable(const Conversation& conversation) {
  const size_t turns = Starts(conversation).size();
  return turns == 0 ? 0 : turns - 1;
}

Conversation DropTurns(const Conversation& conversation, size_t turns, size_t* images) {
  *images = 0;
  if (turns == 0) return conversation;
  const std::vector<size_t> starts = Starts(conversation);
  Conversation out;
  out.tools = conversation.tools;
  out.template_kwargs = conversation.template_kwargs;
  out.add_generation_prompt = conversation.add_generation_prompt;
  out.continue_final_message = conversation.continue_final_message;
  for (size_t i = 0; i < conversation.messages.size(); ++i) {
    const ChatMessage& message = conversation.messages[i];
    if (i < starts[0] || i >= starts[turns]) {
      out.messages.push_back(message);
      continue;
    }
    for (const ChatPart& part : message.parts) *images += part.kind == ChatPart::Kind::kImage;
  }
  return out;
}

size_t BytesOfMessages(const Conversation& conversation) {
  size_t bytes = 0;
  for (const ChatMessage& message : conversation.messages) {
    bytes += message.role.size();
    for (const ChatPart& part : message.parts) bytes += part.text.size();
    bytes += message.name.size() + message.call_id.size() + message.reasoning.size();
    for (const ChatCall& one : message.calls) {
      bytes += one.id.size() + one.name.size() + one.arguments.size();
    }
  }
  return bytes;
}

Result<FittedChat> FitTurns(const Conversation& conversation, const TurnLimits& limits,
                            const EncodeTurns& encode) {
  const size_t droppable = CountDroppable(conversation);
  std::optional<FittedChat> fitted;
  // The number of turns to drop is from `low` to `high`. First, none is dropped.
  size_t low = 0, high = droppable;
  while (!fitted || low < high) {
    FittedChat chat;
    chat.turns = low == 0 ? 0 : low + (high - low) / 2;
    const Conversation kept = DropTurns(conversation, chat.turns, &chat.images);
    const auto bytes = static_cast<int64_t>(BytesOfMessages(kept));
    auto prompt =
        bytes <= limits.bytes
            ? encode(kept, chat.images)
            : Result<ChatPrompt>(ResourceExhausted(
                  "the messages have {} bytes; at most {} are read", bytes, limits.bytes));
    const bool too_long = !prompt.ok() && prompt.status().code() == StatusCode::kResourceExhausted;
    if (!prompt.ok() && (!too_long || chat.turns == droppable)) return prompt.status();
    const int most = limits.context - (chat.turns == 0 ? 1 : limits.room);
    const bool fits = !too_long && std::ssize(prompt->ids) <= most;
    if (fits) high = chat.turns;
    if (!fits) low = std::min(chat.turns + 1, droppable);
    if (fits || chat.turns == droppable) {
      chat.prompt = *std::move(prompt);
      fitted = std::move(chat);
    }
  }
  return *std::move(fitted);
}

}  // namespace edgegate
