// The same question gives the same tokens over every protocol, whole and as a stream.
#include "tests/server/api/events.h"

namespace edgegate {
namespace {

constexpr int kTokens = 24;

// The facts of an answer that all protocols tell.
struct Said {
  std::string text;
  int prompt_tokens = 0;
  int tokens = 0;

  friend bool operator==(const Said&, const Said&) = default;
};

Said FromChat(Site& site, const json& messages, int seed) {
  const json answer = PostJson(
      site, "/v1/chat/completions",
      {{"model", "fake"}, {"messages", messages}, {"seed", seed}, {"max_tokens", kTokens}});
  return {answer["choices"][0]["message"]["content"], answer["usage"]["prompt_tokens"],
          answer["usage"]["completion_tokens"]};
}

Said FromResponse(const json& response) {
  Said said{"", response["usage"]["input_tokens"], response["usage"]["output_tokens"]};
  for (const json& item : response["output"]) {
    for (const json& part : item["content"]) said.text += part["text"].get<std::string>();
  }
  return said;
}

Said FromResponses(Site& site, const json& input, int seed, bool stream) {
  const json body = {{"model", "fake"},
                     {"input", input},
                     {"seed", seed},
                     {"max_output_tokens", kTokens},
                     {"stream", stream}};
  if (!stream) return FromResponse(PostJson(site, "/v1/responses", body));
  const auto events = Events(PostText(site, "/v1/responses", body));
  std::string text;
  for (const Event& event : events) {
    if (event.name == "response.output_text.delta") text += event.data["delta"];
  }
  const Said said = FromResponse(events.back().data["response"]);
  CHECK(said.text == text);
  return said;
}

Said FromAnthropic(Site& site, const json& messages, int seed, bool stream) {
  const json body = {{"model", "fake"},
                     {"messages", messages},
                     {"seed", seed},
                     {"max_tokens", kTokens},
                     {"stream", stream}};
  json usage;
  Said said;
  if (stream) {
    for (const Event& event : Events(PostText(site, "/v1/messages", body))) {
      CHECK(event.data["type"] == event.name);
      if (event.name == "content_block_delta") said.text += event.data["delta"]["text"];
      if (event.name == "message_delta") usage = event.data["usage"];
    }
  } else {
    const json answer = PostJson(site, "/v1/messages", body);
    for (const json& block : answer["content"]) said.text += block["text"];
    usage = answer["usage"];
  }
  said.prompt_tokens =
      usage["input_tokens"].get<int>() + usage["cache_read_input_tokens"].get<int>();
  said.tokens = usage["output_tokens"];
  return said;
}

Said FromOllama(Site& site, const json& messages, int seed, bool stream) {
  const json body = {{"model", "fake:latest"},
                     {"messages", messages},
                     {"stream", stream},
                     {"options", {{"seed", seed}, {"num_predict", kTokens}}}};
  std::string text;
  json last;
  for (const json& line : Lines(PostText(site, "/api/chat", body) + (stream ? "" : "\n"))) {
    text += line["message"]["content"];
    last = line;
  }
  CHECK(last["done"] == true);
  return {text, last["prompt_eval_count"], last["eval_count"]};
}

TEST_CASE("texts") {
  Site site;
  const json messages = {{{"role", "system"}, {"content", "be short"}},
                         {{"role", "user"}, {"content", "hello"}},
                         {{"role", "assistant"}, {"content", "yes?"}},
                         {{"role", "user"}, {"content", "why"}}};
  for (int seed = 1; seed < 6; ++seed) {
    const Said chat = FromChat(site, messages, seed);
    CHECK(chat.tokens > 0);
    for (bool stream : {false, true}) {
      CAPTURE(stream);
      CHECK(FromResponses(site, messages, seed, stream) == chat);
      CHECK(FromAnthropic(site, messages, seed, stream) == chat);
      CHECK(FromOllama(site, messages, seed, stream) == chat);
    }
  }
}

TEST_CASE("images") {
  Site site;
  const std::string base64 = std::string(kPixel).substr(std::string(kPixel).find(',') + 1);
  const auto user = [](json parts) {
    return json::array({{{"role", "user"}, {"content", std::move(parts)}}});
  };
  const json chat = user({{{"type", "image_url"}, {"image_url", {{"url", kPixel}}}},
                          {{"type", "text"}, {"text", "what?"}}});
  const json items = user({{{"type", "input_image"}, {"image_url", kPixel}},
                           {{"type", "input_text"}, {"text", "what?"}}});
  const json source = {{"type", "base64"}, {"media_type", "image/png"}, {"data", base64}};
  const json blocks =
      user({{{"type", "image"}, {"source", source}}, {{"type", "text"}, {"text", "what?"}}});
  json ollama = user("what?");
  ollama[0]["images"] = json::array({base64});
  const Said said = FromChat(site, chat, 3);
  CHECK(FromResponses(site, items, 3, true) == said);
  CHECK(FromAnthropic(site, blocks, 3, true) == said);
  CHECK(FromOllama(site, ollama, 3, true) == said);
}

TEST_CASE("count_tokens counts the prompt") {
  Site site;
  const json messages = {{{"role", "user"}, {"content", "hello there"}}};
  const json counted =
      PostJson(site, "/v1/messages/count_tokens", {{"model", "fake"}, {"messages", messages}});
  CHECK(counted["input_tokens"] == FromChat(site, messages, 1).prompt_tokens);
}

TEST_CASE("max_tokens beyond the context is cut") {
  Site site;
  const json messages = {{{"role", "user"}, {"content", "hello"}}};
  const json answer =
      PostJson(site, "/v1/messages",
               {{"model", "fake"}, {"messages", messages}, {"max_tokens", 100000}, {"seed", 1}});
  CHECK((answer["stop_reason"] == "max_tokens" || answer["stop_reason"] == "end_turn"));
}

TEST_CASE("errors have the protocol's shape") {
  Site site;
  const json unknown = {{"model", "none"},
                        {"max_tokens", 1},
                        {"messages", {{{"role", "user"}, {"content", "x"}}}},
                        {"input", "x"}};
  const json openai = PostJson(site, "/v1/responses", {{"model", "none"}, {"input", "x"}}, 404);
  CHECK(openai["error"]["param"] == "model");
  const json anthropic = PostJson(site, "/v1/messages", unknown, 404);
  CHECK(anthropic["error"]["type"] == "not_found_error");
  const json ollama = PostJson(site, "/api/chat", unknown, 404);
  CHECK(ollama["error"].is_string());
  CHECK(PostJson(site, "/api/embed", json::object(), 400)["error"].is_string());
  auto client = site.Client();
  const auto deleted = client.Delete("/api/delete", "{\"model\":\"fake\"}", "application/json");
  REQUIRE(deleted);
  CHECK(deleted->status == 400);
  CHECK(json::parse(deleted->body)["error"].is_string());
}

TEST_CASE("Ollama's lists and capabilities") {
  Site site;
  auto client = site.Client();
  const auto tags = client.Get("/api/tags");
  REQUIRE(tags);
  CHECK(json::parse(tags->body)["models"][0]["model"] == "fake");
  const json shown = PostJson(site, "/api/show", {{"model", "fake"}});
  CHECK(shown["capabilities"] == json({"completion", "vision", "tools"}));
  CHECK(shown["model_info"]["edgegate.context_length"] == 512);
  CHECK(PostJson(site, "/api/pull", {{"model", "fake"}})["status"] == "success");
  CHECK(PostJson(site, "/api/pull", {{"model", "other"}}, 400)["error"].is_string());
  const json loaded = PostJson(site, "/api/generate", {{"model", "fake"}});
  CHECK(loaded["done_reason"] == "load");
}

}  // namespace
}  // namespace edgegate
