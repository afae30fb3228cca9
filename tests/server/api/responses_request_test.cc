// Requests of /v1/responses as calls.
#include "server/api/openai/responses/request.h"
#include "tests/server/api/parsing.h"

namespace edgegate {
namespace {

const json kFunction = {{"type", "function"},
                        {"name", "f"},
                        {"parameters", {{"type", "object"}, {"properties", json::object()}}}};

Parsed Parse(json change, ResponseStore* store = nullptr) {
  static ResponseStore empty;
  json body = {{"model", "m"}, {"input", "hi"}};
  if (!change.is_null()) body.update(change);
  return ParseResponse(body.dump(), Caller{"key", "key"}, store != nullptr ? store : &empty);
}

TEST_CASE("a text is a message of the user, and instructions come first") {
  CHECK(Shown(Good(Parse({})).call) == "user:hi\n");
  CHECK(Shown(Good(Parse({{"instructions", "be short"}})).call) == "system:be short\nuser:hi\n");
}

TEST_CASE("items are the messages of a chat") {
  const json items = {
      {{"role", "developer"}, {"content", "d"}},
      {{"role", "user"},
       {"content",
        {{{"type", "input_text"}, {"text", "a"}}, {{"type", "input_text"}, {"text", "b"}}}}},
      {{"type", "reasoning"},
       {"id", "rs_1"},
       {"summary", json::array()},
       {"content", {{{"type", "reasoning_text"}, {"text", "hm"}}}}},
      {{"type", "message"},
       {"role", "assistant"},
       {"content", {{{"type", "output_text"}, {"text", "c"}, {"annotations", json::array()}}}}},
      {{"type", "function_call"}, {"call_id", "c1"}, {"name", "f"}, {"arguments", "{\"x\": 1}"}},
      {{"type", "function_call"}, {"call_id", "c2"}, {"name", "g"}, {"arguments", "{}"}},
      {{"type", "function_call_output"}, {"call_id", "c1"}, {"output", "1"}},
      {{"type", "function_call_output"},
       {"call_id", "c2"},
       {"output", {{{"type", "input_text"}, {"text", "2"}}}}},
  };
  CHECK(Shown(Good(Parse({{"input", items}})).call) ==
        "system:d\nuser:a\nb\nassistant:c thinks hm calls c1 f{\"x\": 1} calls c2 g{}\n"
        "tool:1 of c1 from f\ntool:2 of c2 from g\n");
}

TEST_CASE("thoughts that cannot be read are left out") {
  const json items = {{{"role", "user"}, {"content", "a"}},
                      {{"type", "reasoning"},
                       {"id", "rs"},
                       {"summary", json::array()},
                       {"encrypted_content", "AAAA"}},
                      {{"role", "user"}, {"content", "b"}}};
  CHECK(Shown(Good(Parse({{"input", items}})).call) == "user:a\nuser:b\n");
}

TEST_CASE("images are of users, and their fields are named") {
  const json image = {{"type", "input_image"}, {"image_url", "data:x"}, {"detail", "auto"}};
  const auto parsed = Good(Parse({{"input", {{{"role", "user"}, {"content", {image}}}}}}));
  CHECK(Shown(parsed.call) == "user:<image>\n");
  CHECK(parsed.call.images[0].field == "input[0].content[0].image_url");
  CHECK(FieldOf(Parse({{"input", {{{"role", "system"}, {"content", {image}}}}}})) ==
        "input[0].content[0]");
  const json text = {{"type", "input_text"}, {"text", "a photo"}};
  const json items = {
      {{"type", "function_call"}, {"call_id", "c"}, {"name", "f"}, {"arguments", ""}},
      {{"type", "function_call_output"}, {"call_id", "c"}, {"output", {text, image}}}};
  const auto result = Good(Parse({{"input", items}}));
  CHECK(Shown(result.call) == "assistant: calls c f{}\ntool:a photo<image> of c from f\n");
  CHECK(result.call.images[0].field == "input[1].output[1].image_url");
}

TEST_CASE("other tools than functions are left out with a warning") {
  const json tools = {{{"type", "web_search"}}, kFunction};
  const auto parsed = Good(Parse({{"tools", tools}}));
  CHECK(ToolsOf(parsed.call) == "f ");
  REQUIRE(parsed.warnings.list().size() == 1);
  CHECK(parsed.warnings.list()[0].find("tools[0]") != std::string::npos);
  CHECK(FieldOf(Parse({{"tools", {{{"type", "web_search"}}}}, {"tool_choice", "required"}})) ==
        "tool_choice");
}

TEST_CASE("tool_choice") {
  const json tools = {kFunction};
  const json named = {{"type", "function"}, {"name", "f"}};
  const auto choose = [&](const json& choice) {
    return ToolsOf(Good(Parse({{"tools", tools}, {"tool_choice", choice}})).call);
  };
  CHECK(choose("auto") == "f ");
  CHECK(choose("none") == "none");
  CHECK(choose("required") == "f required ");
  CHECK(choose(named) == "f required one");
  CHECK(choose({{"type", "allowed_tools"}, {"mode", "auto"}, {"tools", {named}}}) == "f ");
  CHECK(FieldOf(Parse({{"tools", tools},
                       {"tool_choice", {{"type", "function"}, {"name", "g"}}}})) == "tool_choice");
  CHECK(FieldOf(Parse({{"tools", tools}, {"tool_choice", {{"type", "web_search"}}}})) ==
        "tool_choice.type");
}

TEST_CASE("text.format constrains the text") {
  const json format = {{"type", "json_schema"}, {"name", "n"}, {"schema", {{"type", "object"}}}};
  const auto parsed = Good(Parse({{"text", {{"format", format}, {"verbosity", "low"}}}}));
  REQUIRE(parsed.call.constraint);
  CHECK(parsed.call.constraint->field == "text.format.schema");
  CHECK(parsed.warnings.list()[0].find("text.verbosity") != std::string::npos);
  CHECK(FieldOf(Parse({{"text", {{"format", {{"type", "xml"}}}}}})) == "text.format.type");
}

TEST_CASE("a previous response gives the messages of the same items") {
  ResponseStore store;
  store.Put("key", {"resp_1",
                    "{}",
                    {R"({"type":"message","role":"user","content":"a"})"},
                    {{"msg_1", R"({"type":"message","role":"assistant","content":"b"})"}}});
  CHECK(Shown(Good(Parse({{"previous_response_id", "resp_1"}}, &store)).call) ==
        "user:a\nassistant:b\nuser:hi\n");
  CHECK(FieldOf(Parse({{"previous_response_id", "resp_2"}}, &store)) == "previous_response_id");
  const json reference = {{"type", "item_reference"}, {"id", "msg_1"}};
  CHECK(Shown(Good(Parse({{"input", {reference}}}, &store)).call) == "assistant:b\n");
}

TEST_CASE("errors name the field") {
  CHECK(FieldOf(Parse({{"input", nullptr}})) == "input");
  CHECK(FieldOf(Parse({{"input", json::array()}})) == "input");
  CHECK(FieldOf(Parse({{"input", {{{"type", "computer_call"}}}}})) == "input[0].type");
  CHECK(FieldOf(Parse({{"input", {{{"role", "x"}, {"content", "y"}}}}})) == "input[0].role");
  CHECK(FieldOf(Parse({{"max_output_tokens", 0}})) == "max_output_tokens");
  CHECK(FieldOf(Parse({{"background", true}})) == "background");
  CHECK(FieldOf(Parse({{"conversation", "c"}})) == "conversation");
  CHECK(FieldOf(Parse({{"stop", "x"}})) == "stop");
  CHECK(FieldOf(Parse({{"reasoning", {{"effort", "huge"}}}})) == "reasoning.effort");
  CHECK(FieldOf(Parse({{"tools", {{{"type", "function"}, {"name", "a b"}}}}})) == "tools[0].name");
}

TEST_CASE("members without effect are warnings") {
  const auto count = [](const json& change) { return Good(Parse(change)).warnings.list().size(); };
  CHECK(count({{"unknown", 1}, {"user", "me"}, {"nothing", nullptr}}) == 2);
  CHECK(count({{"max_tool_calls", 3}, {"prompt_cache_key", "k"}, {"safety_identifier", "s"}}) == 3);
  CHECK(count({{"reasoning", {{"summary", "auto"}, {"effort", "low"}}}}) == 1);
  CHECK(count({{"reasoning", {{"summary", nullptr}}}, {"stream_options", json::object()}}) == 0);
  CHECK(count({{"stream_options", {{"include_obfuscation", true}}}}) == 1);
  CHECK(count({{"include",
                {"reasoning.encrypted_content", "x", "message.output_text.logprobs"}}}) == 2);
  CHECK(FieldOf(Parse({{"max_tool_calls", "many"}})) == "max_tool_calls");
  CHECK(FieldOf(Parse({{"reasoning", {{"summary", 1}}}})) == "reasoning.summary");
  json metadata;
  for (int i = 0; i < 65; ++i) metadata[std::to_string(i)] = "x";
  CHECK(FieldOf(Parse({{"metadata", metadata}})) == "metadata");
}

TEST_CASE("truncation drops turns") {
  CHECK(Good(Parse({{"truncation", "auto"}})).call.drop_turns);
  CHECK_FALSE(Good(Parse({{"truncation", "disabled"}})).call.drop_turns);
  CHECK_FALSE(Good(Parse({})).call.drop_turns);
  CHECK(FieldOf(Parse({{"truncation", "middle"}})) == "truncation");
}

}  // namespace
}  // namespace edgegate
