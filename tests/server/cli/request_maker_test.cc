#include "server/cli/run/request_maker.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace edgegate {
namespace {

using nlohmann::json;
using Made = std::variant<ParsedCall, CallError>;

Made Chat(const RunArguments& arguments) {
  auto maker = RequestMaker::Make(arguments, 1 << 20);
  if (!maker.ok()) return CallError{maker.status()};
  return maker->MakeChat({SystemMessage("Be brief."), UserMessage("Hello", 1)});
}

std::string ErrorOf(const Made& made) {
  const auto* error = std::get_if<CallError>(&made);
  return error != nullptr ? MessageWithFlag(*error) : "no error";
}

TEST_CASE("the flags are members of a chat request") {
  RunArguments arguments;
  arguments.members = {{"temperature", "0.5"}, {"max_tokens", "7"}, {"top_p", ""}};
  arguments.stop = {"END"};
  const Made made = Chat(arguments);
  const Call& call = std::get<ParsedCall>(made).call;
  CHECK(call.sampling.temperature == 0.5f);
  CHECK(!call.sampling.top_p);
  CHECK(call.max_tokens == 7);
  CHECK(call.stop_strings == std::vector<std::string>{"END"});
  CHECK(call.images.size() == 1);
  REQUIRE(call.conversation() != nullptr);
  const auto& messages = call.conversation()->messages;
  REQUIRE(messages.size() == 2);
  CHECK(messages[0].role == "system");
  CHECK(messages[1].parts.size() == 2);
  CHECK(messages[1].parts[0].kind == ChatPart::Kind::kImage);
}

TEST_CASE("errors are those of the API, with the flag") {
  const auto error = [](const std::string& member, const std::string& text) {
    RunArguments arguments;
    arguments.members = {{member, text}};
    return ErrorOf(Chat(arguments));
  };
  CHECK(error("temperature", "3") ==
        "--temperature: Invalid 'temperature': 3 is out of range, must be between 0 and 2.");
  CHECK(error("temperature", "hot").starts_with("--temperature: Invalid type for 'temperature'"));
  CHECK(error("max_tokens", "0").starts_with("--max-tokens: "));
  CHECK(error("max_tokens", "null").starts_with("--max-tokens: "));
  CHECK(error("top_k", "1e400").starts_with("--top-k: "));
  CHECK(error("reasoning_effort", "huge").starts_with("--reasoning-effort: "));
  CHECK(error("seed", "-5") == "no error");
}

TEST_CASE("a tool is a whole tool, a function, or a list") {
  const std::string function = R"({"name": "now", "parameters": {"type": "object"}})";
  const std::string tool = R"({"type": "function", "function": )" + function + "}";
  for (const std::string& text : {function, tool, "[" + function + "]", " [" + tool + "]"}) {
    RunArguments arguments;
    arguments.tools = {text};
    arguments.tool_choice = "now";
    const Made made = Chat(arguments);
    CAPTURE(ErrorOf(made));
    REQUIRE(std::holds_alternative<ParsedCall>(made));
    const Call& call = std::get<ParsedCall>(made).call;
    REQUIRE(call.tools);
    CHECK(call.tools->required);
    CHECK(call.tools->tools[0].name == "now");
  }
}

TEST_CASE("bad tools and schemas are refused by name") {
  const auto tool = [](const std::string& text) {
    RunArguments arguments;
    arguments.tools = {text};
    return ErrorOf(Chat(arguments));
  };
  const auto schema = [](const std::string& text) {
    RunArguments arguments;
    arguments.json_schema = text;
    return ErrorOf(Chat(arguments));
  };
  CHECK(tool("{") == "--tool is not valid JSON: there is an error at byte 2.");
  CHECK(tool("no/such.json") == "--tool: cannot read no/such.json");
  CHECK(tool(R"({"name": ""})").starts_with("--tool: "));
  CHECK(tool("[[[[1]]]]").starts_with("--tool: "));
  CHECK(schema("no/such.json") == "--json-schema: cannot read no/such.json");
  CHECK(schema("{\"type\": ]").starts_with("--json-schema is not valid JSON"));
  CHECK(schema(std::string(100, '[')).find("--json-schema") != std::string::npos);
}

TEST_CASE("a prompt for a model without a template is a completion") {
  auto maker = RequestMaker::Make({}, 1 << 20);
  REQUIRE(maker.ok());
  const Made made = maker->MakeText("Once");
  const Call& call = std::get<ParsedCall>(made).call;
  REQUIRE(call.texts() != nullptr);
  CHECK(call.texts()->size() == 1);
  CHECK(call.default_max_tokens == 16);
}

TEST_CASE("the flat answer has the message's members, and MessageOf() the message") {
  const json answer = {
      {"model", "m"},
      {"choices",
       {{{"finish_reason", "stop"},
         {"message", {{"role", "assistant"}, {"content", "Hi"}, {"reasoning_content", "Hm"}}}}}},
      {"usage", {{"prompt_tokens", 1}}},
      {"timings", {{"queue_ms", 0}}}};
  const json flat = json::parse(FlatAnswer(answer.dump()));
  CHECK(flat["content"] == "Hi");
  CHECK(flat["reasoning_content"] == "Hm");
  CHECK(flat["finish_reason"] == "stop");
  CHECK(flat["usage"]["prompt_tokens"] == 1);
  CHECK(!flat.contains("tool_calls"));
  CHECK(json::parse(MessageOf(answer.dump())) == answer["choices"][0]["message"]);
  const json text = {{"model", "m"}, {"choices", {{{"finish_reason", "length"}, {"text", "on"}}}}};
  CHECK(json::parse(FlatAnswer(text.dump()))["content"] == "on");
}

}  // namespace
}  // namespace edgegate
