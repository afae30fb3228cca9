// Dropping the oldest turns of conversations.

#include "server/call/turns.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace edgegate {
namespace {

ChatMessage Message(const char* role, const std::string& text, int images = 0) {
  ChatMessage message{role, {{ChatPart::Kind::kText, text}}};
  for (int i = 0; i < images; ++i) message.parts.push_back({ChatPart::Kind::kImage, ""});
  return message;
}

Conversation Sample() {
  Conversation conversation;
  conversation.messages = {Message("system", "s"),    Message("user", "a", 1),
                           Message("user", "aa"),     Message("assistant", "b"),
                           Message("tool", "c", 2),   Message("assistant", "d"),
                           Message("user", "e"),      Message("system", "late"),
                           Message("assistant", "f"), Message("user", "g", 1)};
  conversation.template_kwargs = "{}";
  return conversation;
}

std::string Texts(const Conversation& conversation) {
  std::string out;
  for (const ChatMessage& message : conversation.messages) out += message.parts[0].text + " ";
  return out;
}

TEST_CASE("whole turns are dropped, with their images") {
  const Conversation sample = Sample();
  CHECK(CountDroppable(sample) == 2);
  size_t images = 9;
  CHECK(Texts(DropTurns(sample, 0, &images)) == Texts(sample));
  CHECK(images == 0);
  CHECK(Texts(DropTurns(sample, 1, &images)) == "s e late f g ");
  CHECK(images == 3);
  CHECK(Texts(DropTurns(sample, 2, &images)) == "s g ");
  CHECK(images == 3);
  CHECK(DropTurns(sample, 2, &images).template_kwargs == "{}");
  CHECK(CountDroppable({}) == 0);
  Conversation system;
  system.messages = {Message("system", "s")};
  CHECK(CountDroppable(system) == 0);
}

// A prompt with one token for each byte of the texts.
Result<ChatPrompt> Encode(const Conversation& conversation) {
  std::string all;
  for (const ChatMessage& message : conversation.messages) all += message.parts[0].text;
  return ChatPrompt{std::vector<int32_t>(all.size()), {}};
}

TEST_CASE("as few turns as possible are dropped") {
  std::mt19937 random(3);
  for (int round = 0; round < 500; ++round) {
    Conversation conversation;
    conversation.messages = {Message("system", "s")};
    for (size_t n = random() % 12; n > 0; --n) {
      conversation.messages.push_back(Message("user", std::string(1 + random() % 20, 'x')));
      conversation.messages.push_back(Message("assistant", std::string(random() % 9, 'y')));
    }
    const TurnLimits limits{1 << 20, 40, 10};
    int calls = 0;
    const auto fitted = FitTurns(conversation, limits, [&](const Conversation& kept, size_t) {
      ++calls;
      return Encode(kept);
    });
    REQUIRE(fitted.ok());
    CHECK(calls <= 6);
    // The trivial model: tries all numbers of turns.
    const size_t droppable = CountDroppable(conversation);
    size_t turns = 0, images = 0;
    const auto size = [&] {
      return std::ssize(Encode(DropTurns(conversation, turns, &images))->ids);
    };
    if (size() > 39) {
      while (turns < droppable && (turns == 0 || size() > 30)) ++turns;
    }
    CHECK(fitted->turns == turns);
    CHECK(std::ssize(fitted->prompt.ids) == size());
  }
}

TEST_CASE("long texts are not tokenized, and other errors are returned") {
  Conversation conversation = Sample();
  conversation.messages[1].parts[0].text = std::string(1000, 'x');
  const auto fitted =
      FitTurns(conversation, {100, 40, 10}, [](const Conversation& kept, size_t images) {
        CHECK(images == 3);
        return Encode(kept);
      });
  REQUIRE(fitted.ok());
  CHECK(fitted->turns == 1);
  conversation.messages.back().parts[0].text = std::string(1000, 'x');
  CHECK(FitTurns(
            conversation, {100, 40, 10},
            [](const Conversation&, size_t) { return Result<ChatPrompt>(Internal("not called")); })
            .status()
            .code() == StatusCode::kResourceExhausted);
  CHECK(FitTurns(Sample(), {100, 40, 10},
                 [](const Conversation&, size_t) {
                   return Result<ChatPrompt>(InvalidArgument("wrong"));
                 })
            .status()
            .message() == "wrong");
}

}  // namespace
}  // namespace edgegate
