#include "server/worker/conversation_wire.h"

namespace edgegate {
namespace {

// Reads the number of items, then calls `get` for each. Stops at the end of a damaged message.
template <typename Item, typename Get>
std::vector<Item> GetList(WireReader* message, const Get& get) {
  std::vector<Item> items;
  const auto count = message->Get<uint32_t>();
  for (uint32_t i = 0; i < count && message->ok(); ++i) items.push_back(get());
  return items;
}

template <typename Item, typename Put>
void PutList(const std::vector<Item>& items, WireWriter* message, const Put& put) {
  message->Put(static_cast<uint32_t>(items.size()));
  for (const Item& item : items) put(item);
}

}  // namespace

void PutConversation(const Conversation& conversation, WireWriter* message) {
  PutList(conversation.messages, message, [&](const ChatMessage& one) {
    message->PutString(one.role);
    PutList(one.parts, message, [&](const ChatPart& part) {
      message->Put(part.kind == ChatPart::Kind::kImage).PutString(part.text);
    });
  });
  PutList(conversation.tools, message, [&](const ChatTool& tool) {
    message->PutString(tool.name).PutString(tool.description).PutString(tool.parameters);
  });
  message->PutString(conversation.template_kwargs).Put(conversation.add_generation_prompt);
}

Conversation GetConversation(WireReader* message) {
  const auto text = [&] { return std::string(message->GetString()); };
  Conversation conversation;
  conversation.messages = GetList<ChatMessage>(message, [&] {
    ChatMessage one;
    one.role = text();
    one.parts = GetList<ChatPart>(message, [&] {
      const bool is_image = message->GetBool();
      return ChatPart{is_image ? ChatPart::Kind::kImage : ChatPart::Kind::kText, text()};
    });
    return one;
  });
  conversation.tools = GetList<ChatTool>(message, [&] {
    ChatTool tool;
    tool.name = text();
    tool.description = text();
    tool.parameters = text();
    return tool;
  });
  conversation.template_kwargs = text();
  conversation.add_generation_prompt = message->GetBool();
  return conversation;
}

}  // namespace edgegate
