// Requests of Anthropic's /v1/messages as calls, and the shape of errors.
#include "server/api/anthropic/errors.h"
#include "server/api/anthropic/request.h"
#include "tests/server/api/parsing.h"

namespace edgegate {
namespace {

Parsed Parse(json change) {
  json body = {
      {"model", "m"}, {"max_tokens", 9}, {"messages", {{{"role", "user"}, {"content", "hi"}}}}};
  if (!change.is_null()) body.update(change);
  return ParseMessageRequest(body.dump());
}

TEST_CASE("blocks are the messages of a chat") {
  const json messages = {
      {{"role", "user"},
       {"content", {{{"type", "text"}, {"text", "a"}}, {{"type", "text"}, {"text", "b"}}}}},
      {{"role", "assistant"},
       {"content",
        {{{"type", "thinking"}, {"thinking", "hm"}, {"signature", ""}},
         {{"type", "text"}, {"text", "c"}},
         {{"type", "tool_use"}, {"id", "t1"}, {"name", "f"}, {"input", {{"x", 1}, {"y", {2, 3}}}}},
         {{"type", "tool_use"}, {"id", "t2"}, {"name", "g"}, {"input", json::object()}}}}},
      {{"role", "user"},
       {"content",
        {{{"type", "tool_result"}, {"tool_use_id", "t1"}, {"content", "1"}},
         {{"type", "tool_result"},
          {"tool_use_id", "t2"},
          {"content", {{{"type", "text"}, {"text", "2"}}}}},
         {{"type", "text"}, {"text", "d"}}}}}};
  CHECK(Shown(Good(Parse({{"messages", messages}, {"system", "s"}})).call) ==
        "system:s\nuser:a\nb\n"
        "assistant:c thinks hm calls t1 f{\"x\": 1, \"y\": [2, 3]} calls t2 g{}\n"
        "tool:1 of t1 from f\ntool:2 of t2 from g\nuser:d\n");
}

TEST_CASE("images") {
  const json inline_image = {
      {"type", "image"},
      {"source", {{"type", "base64"}, {"media_type", "image/png"}, {"data", "AAAA"}}}};
  const json linked = {{"type", "image"},
                       {"source", {{"type", "url"}, {"url", "http://example.com/a.png"}}}};
  const auto parsed =
      Good(Parse({{"messages", {{{"role", "user"}, {"content", {inline_image, linked}}}}}}));
  CHECK(Shown(parsed.call) == "user:<image><image>\n");
  CHECK(parsed.call.images[0].url == "data:image/png;base64,AAAA");
  CHECK(parsed.call.images[0].field == "messages[0].content[0].source.data");
  CHECK(parsed.call.images[1].url == "http://example.com/a.png");
}

TEST_CASE("results of tools have images, which come before those of their message") {
  const auto image = [](const char* url) {
    return json{{"type", "image"}, {"source", {{"type", "url"}, {"url", url}}}};
  };
  const json text = {{"type", "text"}, {"text", "a photo"}};
  const json result = {
      {"type", "tool_result"}, {"tool_use_id", "t"}, {"content", {text, image("first")}}};
  const auto parsed =
      Good(Parse({{"messages", {{{"role", "user"}, {"content", {image("second"), result}}}}}}));
  CHECK(Shown(parsed.call) == "tool:a photo<image> of t\nuser:<image>\n");
  CHECK(parsed.call.images[0].url == "first");
  CHECK(parsed.call.images[0].field == "messages[0].content[1].content[1].source.url");
  CHECK(parsed.call.images[1].url == "second");
  CHECK(FieldOf(Parse({{"system", {image("x")}}})) == "system[0]");
}

TEST_CASE("tools") {
  const json tools = {{{"name", "f"}, {"input_schema", {{"type", "object"}}}},
                      {{"type", "web_search_20250305"}, {"name", "web_search"}}};
  const auto choose = [&](const json& choice) {
    return ToolsOf(Good(Parse({{"tools", tools}, {"tool_choice", choice}})).call);
  };
  CHECK(ToolsOf(Good(Parse({{"tools", tools}})).call) == "f ");
  CHECK(Good(Parse({{"tools", tools}})).warnings.list().size() == 1);
  CHECK(choose({{"type", "auto"}}) == "f ");
  CHECK(choose({{"type", "auto"}, {"disable_parallel_tool_use", true}}) == "f one");
  CHECK(choose({{"type", "any"}}) == "f required ");
  CHECK(choose({{"type", "tool"}, {"name", "f"}}) == "f required one");
  CHECK(choose({{"type", "none"}}) == "none");
  CHECK(FieldOf(Parse({{"tools", tools}, {"tool_choice", {{"type", "tool"}, {"name", "g"}}}})) ==
        "tool_choice.name");
}

TEST_CASE("thinking and output_config") {
  const auto enabled = Good(Parse({{"thinking", {{"type", "enabled"}, {"budget_tokens", 7}}}}));
  CHECK(enabled.call.thinking_tokens == 7);
  CHECK(enabled.call.conversation()->template_kwargs == R"({"enable_thinking":true})");
  const auto disabled = Good(Parse({{"thinking", {{"type", "disabled"}}}}));
  CHECK(disabled.call.conversation()->template_kwargs == R"({"enable_thinking":false})");
  const json format = {{"type", "json_schema"}, {"schema", {{"type", "object"}}}};
  const auto schema = Good(Parse({{"output_config", {{"format", format}}}}));
  CHECK(schema.call.constraint->field == "output_config.format.schema");
}

TEST_CASE("the answer continues a last message of the assistant") {
  for (const char* last : {"user", "assistant"}) {
    const auto parsed = Parse(
        {{"messages", {{{"role", "user"}, {"content", "x"}}, {{"role", last}, {"content", "y"}}}}});
    const auto* call = std::get_if<ParsedCall>(&parsed);
    REQUIRE(call != nullptr);
    const Conversation& conversation = *call->call.conversation();
    CHECK(conversation.continue_final_message == (std::string(last) == "assistant"));
    CHECK(conversation.add_generation_prompt == (std::string(last) == "user"));
  }
}

TEST_CASE("errors name the field") {
  CHECK(FieldOf(Parse({{"max_tokens", nullptr}})) == "max_tokens");
  CHECK(FieldOf(Parse({{"model", nullptr}})) == "model");
  CHECK(FieldOf(Parse({{"messages", json::array()}})) == "messages");
  CHECK(FieldOf(Parse({{"messages", {{{"role", "tool"}, {"content", "x"}}}}})) ==
        "messages[0].role");
  const json document = {{"type", "document"}, {"source", {{"type", "text"}}}};
  CHECK(FieldOf(Parse({{"messages", {{{"role", "user"}, {"content", {document}}}}}})) ==
        "messages[0].content[0].type");
  CHECK(FieldOf(Parse({{"stop_sequences", {1}}})) == "stop_sequences");
  CHECK(FieldOf(Parse({{"thinking", {{"type", "enabled"}}}})) == "thinking.budget_tokens");
  CHECK(FieldOf(Parse({{"mcp_servers", {{{"name", "x"}}}}})) == "mcp_servers");
}

TEST_CASE("a count needs no max_tokens") {
  const json body = {{"model", "m"}, {"messages", {{{"role", "user"}, {"content", "hi"}}}}};
  CHECK(Shown(Good(ParseCountRequest(body.dump())).call) == "user:hi\n");
}

TEST_CASE("errors have Anthropic's shape") {
  const json error = json::parse(AnthropicErrorBody({400, "Must be above 0.", "max_tokens", ""}));
  CHECK(error["type"] == "error");
  CHECK(error["error"]["type"] == "invalid_request_error");
  CHECK(error["error"]["message"] == "max_tokens: Must be above 0.");
  CHECK(json::parse(AnthropicErrorBody({401, "x", "", ""}))["error"]["type"] ==
        "authentication_error");
  CHECK(json::parse(AnthropicErrorBody({413, "x", "", ""}))["error"]["type"] ==
        "request_too_large");
  CHECK(json::parse(AnthropicErrorBody({500, "x", "", ""}))["error"]["type"] == "api_error");
}

}  // namespace
}  // namespace edgegate
