// Requests to /tokenize and /detokenize.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "server/api/tokens/detokenize.h"
#include "server/api/tokens/tokenize.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;
using Form = TokenizeRequest::Form;

const json kMessages = {{{"role", "user"}, {"content", "hi"}}};

TokenizeRequest Good(const json& body) {
  const auto parsed = ParseTokenize(body.dump());
  if (const auto* error = std::get_if<CallError>(&parsed)) FAIL(error->status.message());
  return std::get<TokenizeRequest>(parsed);
}

template <class Parsed>
std::string FieldOf(const Parsed& parsed) {
  const auto* error = std::get_if<CallError>(&parsed);
  return error != nullptr ? error->field : "no error";
}

std::string Refused(const json& body) { return FieldOf(ParseTokenize(body.dump())); }
std::string RefusedIds(const json& body) { return FieldOf(ParseDetokenize(body.dump())); }

TEST_CASE("vLLM's form of a text") {
  const auto request = Good({{"model", "m"}, {"prompt", "a text"}});
  CHECK(request.form == Form::kPrompt);
  CHECK(request.call.model == "m");
  CHECK(request.text == "a text");
  CHECK(request.options.add_special);
  CHECK(request.options.parse_special);
  CHECK_FALSE(request.pieces);
  const auto other =
      Good({{"prompt", ""}, {"add_special_tokens", false}, {"return_token_strs", true}});
  CHECK_FALSE(other.options.add_special);
  CHECK(other.pieces);
}

TEST_CASE("llama.cpp's form of a text") {
  const auto request = Good({{"content", "a text"}});
  CHECK(request.form == Form::kContent);
  CHECK_FALSE(request.options.add_special);
  CHECK(request.options.parse_special);
  const auto other = Good(
      {{"content", "a"}, {"add_special", true}, {"parse_special", false}, {"with_pieces", true}});
  CHECK(other.options.add_special);
  CHECK_FALSE(other.options.parse_special);
  CHECK(other.pieces);
}

TEST_CASE("vLLM's form of a chat takes what a chat takes") {
  const json tool = {{"type", "function"}, {"function", {{"name", "f"}}}};
  const auto request = Good({{"messages", kMessages},
                             {"tools", {tool}},
                             {"add_generation_prompt", false},
                             {"chat_template_kwargs", {{"a", 1}}},
                             {"max_tokens", 3}});
  CHECK(request.form == Form::kMessages);
  const Conversation* conversation = request.call.conversation();
  REQUIRE(conversation != nullptr);
  CHECK(conversation->messages.size() == 1);
  CHECK(conversation->tools.size() == 1);
  CHECK_FALSE(conversation->add_generation_prompt);
  CHECK(conversation->template_kwargs == R"({"a":1})");
  REQUIRE(request.warnings.list().size() == 1);
  CHECK(request.warnings.list()[0] == "'max_tokens' is unknown and has no effect.");
}

TEST_CASE("wrong requests for tokens name the member") {
  CHECK(Refused({{"model", "m"}}) == "prompt");
  CHECK(Refused({{"prompt", 3}}) == "prompt");
  CHECK(Refused({{"prompt", "a"}, {"content", "b"}}) == "content");
  CHECK(Refused({{"prompt", "a"}, {"messages", kMessages}}) == "messages");
  CHECK(Refused({{"prompt", "a"}, {"add_special_tokens", 1}}) == "add_special_tokens");
  CHECK(Refused({{"content", std::string((1 << 20) + 1, 'a')}}) == "content");
  CHECK(Refused({{"messages", json::array()}}) == "messages");
  CHECK(Refused({{"messages", kMessages}, {"add_special_tokens", true}}) == "add_special_tokens");
  CHECK(Refused({{"messages", kMessages}, {"add_special_tokens", false}}) == "no error");
  CHECK(Refused({{"messages", kMessages}, {"continue_final_message", true}}) ==
        "continue_final_message");
  CHECK(Refused({{"messages", kMessages}, {"chat_template", "x"}}) == "chat_template");
}

TEST_CASE("token ids to a text") {
  const auto parsed = ParseDetokenize(R"({"model":"m","tokens":[1,2.0,3],"stream":true})");
  REQUIRE(std::holds_alternative<DetokenizeRequest>(parsed));
  const auto& request = std::get<DetokenizeRequest>(parsed);
  CHECK(request.model == "m");
  CHECK(request.tokens == std::vector<int32_t>{1, 2, 3});
  CHECK(request.warnings.list().size() == 1);
  CHECK(RefusedIds({{"tokens", json::array()}}) == "no error");
  CHECK(RefusedIds({{"model", "m"}}) == "tokens");
  CHECK(RefusedIds({{"tokens", {-1}}}) == "tokens");
  CHECK(RefusedIds({{"tokens", {1.5}}}) == "tokens");
  CHECK(RefusedIds({{"tokens", "a"}}) == "tokens");
  CHECK(RefusedIds({{"tokens", std::vector<int>((1 << 20) + 1)}}) == "tokens");
}

}  // namespace
}  // namespace edgegate
