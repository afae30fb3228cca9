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
  conversation.tools = {{"f", "does it", R"({"type":"object"})"}, {"g", "", ""}};
  conversation.template_kwargs = R"({"a":1})";
  conversation.add_generation_prompt = false;
  return conversation;
}

std::string Written(const Conversation& conversation) {
  WireWriter writer;
  PutConversation(conversation, &writer);
  return std::string(writer.fields());
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
  REQUIRE(read.messages[1].parts.size() == 3);
  CHECK(read.messages[1].parts[0].kind == ChatPart::Kind::kImage);
  CHECK(read.messages[1].parts[1].text == std::string("a\0b", 3));
  CHECK(read.tools[0].parameters == R"({"type":"object"})");
  CHECK_FALSE(read.add_generation_prompt);
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
