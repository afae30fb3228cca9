// The parser of /v1/decisions, and its answers.

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "server/api/openai/decisions/decisions.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

json Body() {
  return {{"model", "m"},
          {"input", "the pump is hot"},
          {"questions", {{{"type", "predicate"}, {"instructions", "Is it hot?"}}}}};
}

ParsedDecision Good(const json& body) {
  auto parsed = ParseDecision(body.dump());
  if (const auto* error = std::get_if<CallError>(&parsed)) {
    FAIL(error->field << ": " << error->status.message());
  }
  return std::get<ParsedDecision>(std::move(parsed));
}

// Returns the field of the error.
std::string FieldOf(const json& body) {
  const auto parsed = ParseDecision(body.dump());
  const auto* error = std::get_if<CallError>(&parsed);
  return error != nullptr ? error->field : "no error";
}

std::string FieldOf(const char* member, const json& value) {
  json body = Body();
  body[member] = value;
  return FieldOf(body);
}

std::string QuestionField(const json& question) {
  return FieldOf("questions", json::array({question}));
}

std::string Shown(const ParsedDecision& parsed) {
  std::string out;
  for (const ChatMessage& message : parsed.decision.call.conversation()->messages) {
    out += message.role + ":";
    for (const ChatPart& part : message.parts) {
      out += part.kind == ChatPart::Kind::kImage ? "<image>" : part.text;
    }
    for (const ChatCall& one : message.calls) out += " calls " + one.name + one.arguments;
    if (!message.call_id.empty()) out += " of " + message.call_id;
    out += "\n";
  }
  return out;
}

json Choice(const json& choices) {
  return {{"type", "choice"}, {"instructions", "Which?"}, {"choices", choices}};
}

TEST_CASE("a text is a message of the user") {
  const ParsedDecision parsed = Good(Body());
  CHECK(Shown(parsed) == "user:the pump is hot\n");
  REQUIRE(parsed.decision.questions.size() == 1);
  CHECK(parsed.decision.questions[0].instructions == "Is it hot?");
  CHECK(parsed.decision.questions[0].field == "questions[0]");
  CHECK(parsed.warnings.empty());
}

TEST_CASE("items are messages, calls and outputs") {
  json body = Body();
  body["input"] = {
      {{"role", "developer"}, {"content", "Watch."}},
      {{"role", "user"},
       {"content",
        {{{"type", "input_image"}, {"image_url", "data:,"}, {"detail", "original"}},
         {{"type", "input_json"}, {"data", {{"bar", 7}}}},
         {{"type", "input_text"},
          {"text", "x"},
          {"prompt_cache_breakpoint", {{"mode", "explicit"}}}}}}},
      {{"type", "message"},
       {"role", "assistant"},
       {"phase", "commentary"},
       {"content",
        {{{"type", "output_text"}, {"text", "a"}}, {{"type", "refusal"}, {"refusal", "b"}}}}},
      {{"type", "function_call"}, {"call_id", "1"}, {"name", "f"}, {"arguments", "{}"}},
      {{"type", "function_call_output"}, {"call_id", "1"}, {"output", "r"}},
      {{"type", "custom_tool_call"}, {"call_id", "2"}, {"name", "c"}, {"input", "i"}},
      {{"type", "custom_tool_call_output"}, {"call_id", "2"}, {"output", "s"}}};
  body["prompt_cache_key"] = nullptr;
  body["prompt_cache_options"] = {{"mode", "implicit"}, {"ttl", "30m"}};
  body["safety_identifier"] = "someone";
  const ParsedDecision parsed = Good(body);
  CHECK(Shown(parsed) ==
        "system:Watch.\nuser:<image>{\"bar\":7}x\nassistant:a\nb calls f{}\ntool:r of 1\n"
        "assistant: calls c{\"input\":\"i\"}\ntool:s of 2\n");
  CHECK(parsed.decision.call.images[0].field == "input[1].content[0].image_url");
  CHECK(parsed.warnings.list() ==
        std::vector<std::string>{"'prompt_cache_options' has no effect.",
                                 "'safety_identifier' has no effect.",
                                 "'input[1].content[0].detail' has no effect."});
}

TEST_CASE("wrong inputs name their field") {
  CHECK(FieldOf("input", nullptr) == "input");
  CHECK(FieldOf("input", json::array()) == "input");
  CHECK(FieldOf("input", 5) == "input");
  CHECK(FieldOf("input", {5}) == "input[0]");
  CHECK(FieldOf("input", {{{"type", "item_reference"}}}) == "input[0].type");
  CHECK(FieldOf("input", {{{"type", "reasoning"}}}) == "input[0].type");
  CHECK(FieldOf("input", {{{"role", "tool"}, {"content", "a"}}}) == "input[0].role");
  CHECK(FieldOf("input", {{{"type", "function_call_output"}, {"call_id", "1"}, {"output", "r"}}}) ==
        "input[0].call_id");
  const json data = {{"type", "input_json"}, {"data", {1, 2}}};
  CHECK(FieldOf("input", {{{"role", "user"}, {"content", {data}}}}) == "input[0].content[0].data");
  json big = {{"type", "input_json"}, {"data", {{"a", std::string(300 << 10, 'x')}}}};
  CHECK(FieldOf("input", {{{"role", "user"}, {"content", {big}}}}) == "input[0].content[0].data");
  big["data"] = {{"a", std::vector<int>(10'001, 1)}};
  CHECK(FieldOf("input", {{{"role", "user"}, {"content", {big}}}}) == "input[0].content[0].data");
}

TEST_CASE("questions of each type") {
  json body = Body();
  body["questions"] = {{{"type", "predicate"},
                        {"name", "hot"},
                        {"instructions",
                         {{{"type", "input_text"}, {"text", "Is it?"}},
                          {{"type", "input_json"}, {"data", {{"a", 1}}}}}}},
                       Choice({{{"value", "true"}}, {{"value", true}, {"description", "yes"}}}),
                       {{"type", "score"},
                        {"instructions", "How?"},
                        {"levels", {{{"label", "low"}}, {{"label", "high"}}}}}};
  body["questions"][2]["extra"] = 1;
  const ParsedDecision parsed = Good(body);
  const auto& questions = parsed.decision.questions;
  REQUIRE(questions.size() == 3);
  CHECK(questions[0].instructions == "Is it?\n{\"a\":1}");
  CHECK(questions[1].options[1].text == "true");
  CHECK(questions[1].options[1].description == "yes");
  CHECK(questions[2].options[1].text == "high");
  CHECK(parsed.warnings.list() ==
        std::vector<std::string>{"'questions[2].extra' is unknown and has no effect."});
}

TEST_CASE("wrong questions name their field") {
  CHECK(FieldOf("questions", nullptr) == "questions");
  CHECK(FieldOf("questions", json::array()) == "questions");
  CHECK(FieldOf("questions", json(401, Body()["questions"][0])) == "questions");
  CHECK(FieldOf("questions", json(400, Body()["questions"][0])) == "no error");
  CHECK(FieldOf("questions", {5}) == "questions[0]");
  CHECK(QuestionField({{"type", "other"}, {"instructions", "a"}}) == "questions[0].type");
  CHECK(QuestionField({{"type", "predicate"}}) == "questions[0].instructions");
  CHECK(QuestionField({{"type", "predicate"}, {"instructions", ""}}) ==
        "questions[0].instructions");
  const json image = {{"type", "input_image"}, {"image_url", "data:,"}};
  CHECK(QuestionField({{"type", "predicate"}, {"instructions", {image}}}) ==
        "questions[0].instructions[0]");
  CHECK(QuestionField(Choice(nullptr)) == "questions[0].choices");
  CHECK(QuestionField(Choice({{{"value", "a"}}})) == "questions[0].choices");
  CHECK(QuestionField(Choice({{{"value", "a"}}, {{"value", "a"}}})) == "questions[0].choices[1]");
  CHECK(QuestionField(Choice({{{"value", "a"}}, {{"value", ""}}})) ==
        "questions[0].choices[1].value");
  CHECK(QuestionField(Choice({{{"value", "a"}}, {{"value", 1}}})) ==
        "questions[0].choices[1].value");
  CHECK(QuestionField(Choice({{{"value", "a"}}, json::object()})) ==
        "questions[0].choices[1].value");
  json many = json::array();
  for (int i = 0; i < 256; ++i) many.push_back({{"value", std::to_string(i)}});
  CHECK(QuestionField(Choice(many)) == "questions[0].choices");
  many.erase(0);
  CHECK(QuestionField(Choice(many)) == "no error");
  CHECK(QuestionField({{"type", "score"},
                       {"instructions", "a"},
                       {"levels", {{{"label", true}}, {{"label", "b"}}}}}) ==
        "questions[0].levels[0].label");
}

TEST_CASE("answers") {
  json body = Body();
  body["questions"] = {{{"type", "predicate"}, {"name", "hot"}, {"instructions", "Is it?"}},
                       Choice({{{"value", "a"}}, {{"value", true}}}),
                       {{"type", "score"},
                        {"instructions", "How?"},
                        {"levels", {{{"label", "low"}}, {{"label", "mid"}}, {{"label", "high"}}}}}};
  const DecisionResult result{.probabilities = {{0.75, 0.25}, {0.25, 0.75}, {0.25, 0.25, 0.5}},
                              .input_tokens = 30,
                              .cached_tokens = 16,
                              .prompt_tokens = 20,
                              .timings = {}};
  const json answer = json::parse(WriteDecision(Good(body), "m", result));
  CHECK(answer == json::parse(R"({"model":"m","answers":[
    {"type":"predicate","name":"hot","probability":0.75},
    {"type":"choice","name":null,"choice":true,"confidence":0.75,"probabilities":[
      {"value":"a","probability":0.25},{"value":true,"probability":0.75}]},
    {"type":"score","name":null,"score":1.25,"confidence":0.5,"probabilities":[
      {"label":"low","value":0,"probability":0.25},{"label":"mid","value":1,"probability":0.25},
      {"label":"high","value":2,"probability":0.5}]}],
    "usage":{"input_tokens":30,"input_tokens_details":{"cached_tokens":16,"cache_write_tokens":4},
      "output_tokens":0,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":30}})"));
}

}  // namespace
}  // namespace edgegate
