// Conversations in messages to a worker process.

#include "server/worker/conversation_wire.h"

#include <doctest/doctest.h>

namespace edgegate {
namespace {

Conversation Sample() {
  Conversation conversation;
  conversation.messages = {{"system", {}},
                           {"user",
                            {{ChatPart::Kind::kImage, ""},
                             {ChatPart::Kind::kText, std::string("a\0b", 3)},
                             {ChatPart::Kind::kText, ""}}}};
  conversation.messages[0].calls = {{"c1", "f", "{}"}, {"", "g", R"({"a":1})"}};
  conversation.messages[1].name = "f";
  conversation.messages[1].call_id = "c1";
  conversation.messages[1].reasoning = "because";
  conversation.tools = {{"f", "does it", R"({"type":"object"})"}, {"g", "", ""}};
  conversation.template_kwargs = R"({"a":1})";
  conversation.add_generation_prompt = false;
  conversation.continue_final_message = true;
  return conversation;
}

std::string Written(const Conversation& conversation) {
  WireWriter writer;
  PutConversation(conversation, &writer);
  return std::string(writer.fields());
}

TEST_CASE("traits are read as they were written") {
  AnswerTraits traits;
  traits.calls = FindCallFormat("glm4");
  traits.calls_shown = true;
  traits.reasoning = ReasoningMarks{"<think>", "</think>"};
  traits.reasoning_end = {7, 8};
  traits.marks = {7};
  for (const AnswerTraits& written : {traits, AnswerTraits()}) {
    WireWriter writer;
    PutTraits(written, &writer);
    WireReader reader(writer.fields());
    const AnswerTraits read = GetTraits(&reader);
    CHECK(reader.ok());
    CHECK(read.calls == written.calls);
    CHECK(read.calls_shown == written.calls_shown);
    CHECK(read.reasoning.has_value() == written.reasoning.has_value());
    CHECK(read.reasoning_end == written.reasoning_end);
    CHECK(read.marks == written.marks);
  }
}

TEST_CASE("a conversation is read as it was written") {
  for (const Conversation& conversation : {Sample(), Conversation()}) {
    const std::string bytes = Written(conversation);
    WireReader reader(bytes);
    const Conversation read = GetConversation(&reader);
    CHECK(reader.ok());
    CHECK(Written(read) == bytes);
    CHECK(read.num_images() == conversation.num_images());
    CHECK(read.messages.size() == conversation.messages.size());
    CHECK(read.tools.size() == conversation.tools.size());
  }
  const std::string bytes = Written(Sample());
  WireReader reader(bytes);
  const Conversation read = GetConversation(&reader);
  REQUIRE(read.messages.size() == 2);
  CHECK(read.messages[1].role == "user");
  REQUIRE(read.messages[0].calls.size() == 2);
  CHECK(read.messages[0].calls[1].arguments == R"({"a":1})");
  CHECK(read.messages[1].name == "f");
  CHECK(read.messages[1].call_id == "c1");
  CHECK(read.messages[1].reasoning == "because");
  REQUIRE(read.messages[1].parts.size() == 3);
  CHECK(read.messages[1].parts[0].kind == ChatPart::Kind::kImage);
  CHECK(read.messages[1].parts[1].text == std::string("a\0b", 3));
  CHECK(read.tools[0].parameters == R"({"type":"object"})");
  CHECK_FALSE(read.add_generation_prompt);
  CHECK(read.continue_final_message);
}

TEST_CASE("a conversation that is cut short anywhere is an error") {
  const std::string bytes = Written(Sample());
  for (size_t size = 0; size < bytes.size(); ++size) {
    WireReader reader(std::string_view(bytes).substr(0, size));
    GetConversation(&reader);
    CHECK_FALSE(reader.ok());
  }
}

TEST_CASE("a damaged number of messages costs no memory") {
  WireWriter writer;
  writer.Put(uint32_t{0xffffffff}).PutString("user");
  WireReader reader(writer.fields());
  CHECK(GetConversation(&reader).messages.size() <= 1);
  CHECK_FALSE(reader.ok());
}

}  // namespace
}  // namespace edgegate
