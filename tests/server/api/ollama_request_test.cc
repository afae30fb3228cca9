// Requests of Ollama's API as calls.
#include "server/api/ollama/parameters.h"
#include "server/api/ollama/request.h"
#include "server/api/ollama/writer.h"
#include "tests/server/api/parsing.h"

namespace edgegate {
namespace {

Parsed Chat(json change) {
  json body = {{"model", "m"}, {"messages", {{{"role", "user"}, {"content", "hi"}}}}};
  if (!change.is_null()) body.update(change);
  return ParseOllamaChat(body.dump());
}

Parsed Generate(json change) {
  json body = {{"model", "m"}, {"prompt", "hi"}};
  if (!change.is_null()) body.update(change);
  return ParseOllamaGenerate(body.dump());
}

TEST_CASE("messages are those of a chat, and images come first") {
  const json messages = {
      {{"role", "user"}, {"content", "a"}, {"images", {"AAAA"}}},
      {{"role", "assistant"},
       {"content", "b"},
       {"thinking", "hm"},
       {"tool_calls", {{{"function", {{"name", "f"}, {"arguments", {{"x", "y"}}}}}}}}},
      {{"role", "tool"}, {"content", "1"}, {"tool_name", "f"}}};
  const auto parsed = Good(Chat({{"messages", messages}}));
  CHECK(Shown(parsed.call) ==
        "user:<image>a\nassistant:b thinks hm calls  f{\"x\": \"y\"}\ntool:1 from f\n");
  CHECK(parsed.call.images[0].field == "messages[0].images[0]");
  CHECK(parsed.stream);
}

TEST_CASE("a prompt is a message of the user, or a raw text") {
  CHECK(Shown(Good(Generate({{"system", "s"}})).call) == "system:s\nuser:hi\n");
  const auto raw = Good(Generate({{"raw", true}}));
  REQUIRE(raw.call.texts() != nullptr);
  CHECK(std::get<std::string>((*raw.call.texts())[0]) == "hi");
}

TEST_CASE("options") {
  const json options = {
      {"temperature", 0.5}, {"top_k", 3},      {"num_predict", 7},      {"seed", 4},
      {"stop", {"x"}},      {"num_ctx", 4096}, {"repeat_penalty", 1.5}, {"mirostat", 0}};
  const auto parsed = Good(Chat({{"options", options}}));
  CHECK(parsed.call.sampling.temperature == 0.5f);
  CHECK(parsed.call.sampling.top_k == 3);
  CHECK(parsed.call.sampling.seed == 4u);
  CHECK(parsed.call.sampling.repetition_penalty == 1.5f);
  CHECK(parsed.call.max_tokens == 7);
  CHECK(parsed.call.stop_strings == std::vector<std::string>{"x"});
  CHECK(parsed.warnings.list() == std::vector<std::string>{"'options.mirostat' has no effect.",
                                                           "'options.num_ctx' has no effect."});
  CHECK_FALSE(Good(Chat({{"options", {{"num_predict", -1}}}})).call.max_tokens);
  CHECK(FieldOf(Chat({{"options", {{"mirostat", 2}}}})) == "options.mirostat");
  CHECK(FieldOf(Chat({{"options", {{"temperature", "hot"}}}})) == "options.temperature");
}

TEST_CASE("format, think and keep_alive") {
  CHECK(Good(Chat({{"format", "json"}})).call.constraint);
  CHECK(Good(Chat({{"format", {{"type", "object"}}}})).call.constraint->grammar.text ==
        R"({"type":"object"})");
  CHECK_FALSE(Good(Chat({{"format", ""}})).call.constraint);
  CHECK(FieldOf(Chat({{"format", "xml"}})) == "format");
  CHECK(Good(Chat({{"think", false}})).call.conversation()->template_kwargs ==
        R"({"enable_thinking":false})");
  CHECK(Good(Chat({{"think", "low"}})).call.conversation()->template_kwargs ==
        R"({"reasoning_effort":"low"})");
  CHECK(FieldOf(Chat({{"think", 3}})) == "think");
  CHECK(Good(Chat({{"keep_alive", "5m"}})).warnings.list().size() == 1);
  CHECK(FieldOf(Chat({{"keep_alive", json::array()}})) == "keep_alive");
}

TEST_CASE("tools") {
  const json tool = {{"type", "function"}, {"function", {{"name", "f"}, {"description", "d"}}}};
  CHECK(ToolsOf(Good(Chat({{"tools", {tool}}})).call) == "f ");
  CHECK(FieldOf(Chat({{"tools", {{{"type", "function"}}}}})) == "tools[0].function");
  CHECK(FieldOf(Chat({{"tools", {tool, tool}}})) == "tools[1].function.name");
}

TEST_CASE("a request without a question asks for the model") {
  CHECK(Good(Chat({{"messages", json::array()}})).answer);
  CHECK(Good(Generate({{"prompt", ""}})).answer);
  CHECK_FALSE(Good(Generate({})).answer);
  const json answer = json::parse(OllamaLoadAnswer({.chat = true}, "m", "load"));
  CHECK(answer["done_reason"] == "load");
  CHECK(answer["message"]["content"] == "");
}

TEST_CASE("what cannot be done is refused by name") {
  CHECK(FieldOf(Generate({{"suffix", "x"}})) == "suffix");
  CHECK(FieldOf(Generate({{"template", "x"}})) == "template");
  CHECK(FieldOf(Generate({{"context", {1, 2}}})) == "context");
  CHECK(FieldOf(Generate({{"model", ""}})) == "model");
  CHECK(FieldOf(Chat({{"messages", {{{"role", "x"}, {"content", "y"}}}}})) == "messages[0].role");
}

TEST_CASE("the tag latest is not part of a name") {
  CHECK(OllamaModelName("m:latest") == "m");
  CHECK(OllamaModelName("m:7b") == "m:7b");
  CHECK(OllamaModelName("m") == "m");
  CHECK(OllamaTime(0) == "1970-01-01T00:00:00Z");
}

}  // namespace
}  // namespace edgegate
