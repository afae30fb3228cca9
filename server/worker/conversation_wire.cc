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
    PutList(one.calls, message, [&](const ChatCall& call) {
      message->PutString(call.id).PutString(call.name).PutString(call.arguments);
    });
    message->PutString(one.name).PutString(one.call_id).PutString(one.reasoning);
  });
  PutList(conversation.tools, message, [&](const ChatTool& tool) {
    message->PutString(tool.name).PutString(tool.description).PutString(tool.parameters);
  });
  message->PutString(conversation.template_kwargs)
      .Put(conversation.add_generation_prompt)
      .Put(conversation.continue_final_message);
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
    one.calls = GetList<ChatCall>(message, [&] {
      ChatCall call;
      call.id = text();
      call.name = text();
      call.arguments = text();
      return call;
    });
    one.name = text();
    one.call_id = text();
    one.reasoning = text();
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
  conversation.continue_final_message = message->GetBool();
  return conversation;
}

void PutTraits(const AnswerTraits& traits, WireWriter* message) {
  message->PutString(traits.calls != nullptr ? traits.calls->name : "").Put(traits.calls_shown);
  const ReasoningMarks marks = traits.reasoning.value_or(ReasoningMarks());
  message->PutString(marks.begin).PutString(marks.end).PutVector(traits.marks);
  message->PutVector(traits.reasoning_end);
}

AnswerTraits GetTraits(WireReader* message) {
  AnswerTraits traits;
  traits.calls = FindCallFormat(message->GetString());
  traits.calls_shown = message->GetBool();
  ReasoningMarks marks;
  marks.begin = message->GetString();
  marks.end = message->GetString();
  if (!marks.end.empty()) traits.reasoning = std::move(marks);
  traits.marks = message->GetVector<int32_t>();
  traits.reasoning_end = message->GetVector<int32_t>();
  return traits;
}

void PutFacts(const TemplateFacts& facts, WireWriter* message) {
  message->PutString(facts.source).PutString(facts.bos_token).PutString(facts.eos_token);
}

TemplateFacts GetFacts(WireReader* message) {
  TemplateFacts facts;
  facts.source = message->GetString();
  facts.bos_token = message->GetString();
  facts.eos_token = message->GetString();
  return facts;
}

}  // namespace edgegate
