// Members of requests that have no effect: which are named, which are refused, and the limits of
// warnings.

#include <algorithm>
#include <type_traits>

#include "server/api/anthropic/request.h"
#include "server/api/llamacpp/embeddings.h"
#include "server/api/ollama/embed.h"
#include "server/api/ollama/request.h"
#include "server/api/openai/chat_completions.h"
#include "server/api/openai/completions.h"
#include "server/api/openai/embeddings.h"
#include "server/api/openai/responses/request.h"
#include "server/api/rerank/rerank.h"
#include "tests/server/api/parsing.h"

namespace edgegate {
namespace {

using List = std::vector<std::string>;

json Chat(json members) {
  json body = {{"model", "m"}, {"messages", {{{"role", "user"}, {"content", "hi"}}}}};
  body.update(members);
  return body;
}

Parsed ParseChat(const json& members) { return ParseChatCompletion(Chat(members).dump()); }

Parsed ParseText(const json& members) {
  json body = {{"model", "m"}, {"prompt", "hi"}};
  body.update(members);
  return ParseCompletion(body.dump());
}

List WarningsOf(const json& members) { return Good(ParseChat(members)).warnings.list(); }

// A body of each protocol with these members, parsed.
std::vector<Warnings> OfEveryProtocol(const json& members) {
  ResponseStore store;
  json chat = Chat(members), response = members, embeddings = members, rerank = members;
  chat["max_tokens"] = 4;
  for (json* body : {&response, &embeddings, &rerank}) (*body)["model"] = "m";
  response["input"] = embeddings["input"] = "hi";
  rerank["query"] = "hi";
  rerank["documents"] = json::array({"a"});
  json text = embeddings;
  text.erase("input");
  text["prompt"] = "hi";
  std::vector<Warnings> all;
  const auto add = [&](const auto& parsed) {
    using Call = std::decay_t<decltype(std::get<0>(parsed))>;
    REQUIRE(std::holds_alternative<Call>(parsed));
    all.push_back(std::get<Call>(parsed).warnings);
  };
  add(ParseChatCompletion(chat.dump()));
  add(ParseCompletion(text.dump()));
  add(ParseResponse(response.dump(), {}, &store));
  add(ParseMessageRequest(chat.dump()));
  add(ParseOllamaChat(chat.dump()));
  add(ParseOllamaGenerate(text.dump()));
  add(ParseEmbeddings(embeddings.dump()));
  add(ParseLlamaEmbeddings(embeddings.dump()));
  add(ParseOllamaEmbed(embeddings.dump()));
  add(ParseRerank(rerank.dump()));
  return all;
}

TEST_CASE("every protocol names an unknown member, and null counts as absent") {
  for (const Warnings& warnings : OfEveryProtocol({{"frobnicate", 1}})) {
    const List list = warnings.list();
    CHECK(std::find(list.begin(), list.end(), "'frobnicate' is unknown and has no effect.") !=
          list.end());
    CHECK(warnings.unknown() == "frobnicate");
  }
  for (const Warnings& warnings : OfEveryProtocol({{"frobnicate", nullptr}})) {
    for (const std::string& text : warnings.list()) {
      CHECK(text.find("frobnicate") == std::string::npos);
    }
    CHECK(warnings.unknown() == "frobnicate");  // server.strict refuses it
  }
}

TEST_CASE("a member at a value that edgegate acts by needs no warning") {
  CHECK(WarningsOf({{"service_tier", "auto"},
                    {"store", false},
                    {"verbosity", "medium"},
                    {"modalities", json::array({"text"})},
                    {"tool_choice", "none"},
                    {"parallel_tool_calls", true}})
            .empty());
  CHECK(WarningsOf({{"service_tier", "flex"}}) == List{"'service_tier' has no effect."});
  CHECK(WarningsOf({{"parallel_tool_calls", false}}) ==
        List{"'parallel_tool_calls' has no effect."});
  CHECK(WarningsOf({{"mirostat", 0}}) == List{"'mirostat' has no effect."});
  CHECK_FALSE(Good(ParseChat({{"mirostat", 0}})).warnings.unknown());
}

TEST_CASE("a value that would change the answer is refused by name") {
  CHECK(FieldOf(ParseChat({{"modalities", {"text", "audio"}}})) == "modalities");
  CHECK(FieldOf(ParseChat({{"mirostat", 2}})) == "mirostat");
  CHECK(FieldOf(ParseChat({{"dry_multiplier", 0.8}})) == "dry_multiplier");
  CHECK(FieldOf(ParseText({{"suffix", "x"}})) == "suffix");
  CHECK(FieldOf(ParseText({{"best_of", 2}})) == "best_of");
}

TEST_CASE("unknown members inside messages, parts, tools and options are named") {
  const json call = {{"id", "c"},
                     {"type", "function"},
                     {"function", {{"name", "f"}, {"arguments", "{}"}, {"a", 1}}},
                     {"b", 1}};
  const json messages = {
      {{"role", "user"},
       {"content", {{{"type", "text"}, {"text", "hi"}, {"c", 1}}}},
       {"name", "Ann"},
       {"d", 1}},
      {{"role", "assistant"},
       {"content", nullptr},
       {"refusal", nullptr},
       {"tool_calls", json::array({call})}},
      {{"role", "tool"}, {"content", "x"}, {"tool_call_id", "c"}, {"name", "f"}}};
  const json tool = {{"type", "function"}, {"function", {{"name", "f"}, {"e", 1}}}, {"f", 1}};
  const json choice = {{"type", "function"}, {"function", {{"name", "f"}, {"g", 1}}}};
  const List list = WarningsOf({{"messages", messages},
                                {"tools", json::array({tool})},
                                {"tool_choice", choice},
                                {"stream", true},
                                {"stream_options", {{"h", 1}, {"include_obfuscation", true}}},
                                {"response_format", {{"type", "text"}, {"i", 1}}}});
  const List unknown = {
      "messages[0].content[0].c",    "messages[0].d",    "messages[1].tool_calls[0].function.a",
      "messages[1].tool_calls[0].b", "tools[0].f",       "tools[0].function.e",
      "tool_choice.function.g",      "stream_options.h", "response_format.i"};
  for (const std::string& path : unknown) {
    CAPTURE(path);
    CHECK(std::find(list.begin(), list.end(), "'" + path + "' is unknown and has no effect.") !=
          list.end());
  }
  for (const char* path : {"messages[0].name", "stream_options.include_obfuscation"}) {
    CAPTURE(path);
    CHECK(std::find(list.begin(), list.end(), "'" + std::string(path) + "' has no effect.") !=
          list.end());
  }
  CHECK(list.size() == unknown.size() + 2);
}

TEST_CASE("warnings are few and short, and the rest is counted") {
  json members;
  for (int i = 0; i < 900; ++i) members["k" + std::to_string(i)] = 1;
  members[std::string(1 << 20, 'x')] = 1;
  const List list = WarningsOf(members);
  REQUIRE(list.size() == Warnings::kMost + 1);
  for (const std::string& text : list) CHECK(text.size() <= Warnings::kMaxBytes);
  CHECK(list.back() == "869 further warnings are left out.");
}

TEST_CASE("parameters of other servers have their effect") {
  CHECK(Good(ParseChat({{"repeat_penalty", 1.5}})).call.sampling.repetition_penalty == 1.5f);
  CHECK(FieldOf(ParseChat({{"repeat_penalty", 1.5}, {"repetition_penalty", 1.25}})) ==
        "repeat_penalty");
  CHECK(FieldOf(ParseChat({{"repeat_penalty", 0}})) == "repeat_penalty");
  CHECK(Good(ParseText({{"min_tokens", 3}, {"max_tokens", 5}})).call.min_tokens == 3);
  CHECK(FieldOf(ParseText({{"min_tokens", 6}, {"max_tokens", 5}})) == "min_tokens");
  CHECK(FieldOf(ParseText({{"min_tokens", 1}, {"structured_outputs", {{"regex", "a"}}}})) ==
        "min_tokens");
  CHECK(Good(ParseText({{"n_predict", 7}})).call.max_tokens == 7);
  CHECK(Good(ParseText({{"n_predict", 7}, {"max_tokens", 5}})).call.max_tokens == 5);
  CHECK(Good(ParseText({{"n_predict", -1}})).call.max_tokens > 1 << 20);
  CHECK(FieldOf(ParseChat({{"n_predict", 0}})) == "n_predict");
  CHECK_FALSE(Good(ParseChat({{"reasoning_format", "none"}})).call.split_reasoning);
  CHECK(FieldOf(ParseChat({{"reasoning_format", "x"}})) == "reasoning_format");
  const auto variables = [](const json& members) {
    return Good(ParseChat(members)).call.conversation()->template_kwargs;
  };
  CHECK(variables({{"think", false}}) == R"({"enable_thinking":false})");
  CHECK(variables({{"think", "low"}}) == R"({"reasoning_effort":"low"})");
  CHECK(FieldOf(ParseChat({{"think", 5}})) == "think");
}

TEST_CASE("structured_outputs may have the members that vLLM's clients leave unset") {
  const json unset = {{"regex", "a"}, {"json", nullptr}, {"disable_fallback", false}};
  CHECK(Good(ParseText({{"structured_outputs", unset}})).warnings.empty());
  CHECK_FALSE(Good(ParseText({{"structured_outputs", {{"json_object", false}}}})).call.constraint);
  CHECK(FieldOf(ParseText({{"structured_outputs", {{"yaml", "x"}}}})) == "structured_outputs.yaml");
}

TEST_CASE("llama.cpp's form of embeddings") {
  const auto parse = [](const json& body) {
    const auto parsed = ParseLlamaEmbeddings(body.dump());
    REQUIRE(std::holds_alternative<ParsedEmbedding>(parsed));
    return std::get<ParsedEmbedding>(parsed);
  };
  const ParsedEmbedding parsed = parse({{"content", {"a", "b"}}, {"embd_normalize", 2}});
  CHECK(parsed.call.inputs.size() == 2);
  CHECK(parsed.any_model);
  EmbeddingResult result;
  result.embeddings = {1, 0, 0, 1};
  result.width = 2;
  CHECK(parsed.write({}, result) ==
        R"([{"index":0,"embedding":[[1,0]]},{"index":1,"embedding":[[0,1]]}])");
  CHECK(parse({{"input", "a"}}).call.input_field == "input");
  const auto error = ParseLlamaEmbeddings("{}");
  REQUIRE(std::holds_alternative<CallError>(error));
  CHECK(std::get<CallError>(error).field == "content");
}

}  // namespace
}  // namespace edgegate
