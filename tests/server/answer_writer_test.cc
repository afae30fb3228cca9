// The writers of answers: the chunks of a stream add up to the whole answer.

#include "tests/server/http_site.h"

namespace edgegate {
namespace {

// The members of all log-probabilities, chunk after chunk.
void Append(const json& piece, json* whole) {
  if (piece.is_null()) return;
  for (const auto& [key, items] : piece.items()) {
    for (const json& item : items) (*whole)[key].push_back(item);
  }
}

// The sum of each choice's chunks, and the usage.
struct Merged {
  std::map<int, json> choices;
  json usage;
  int chunks = 0;
};

void MergeChoice(const json& part, json* choice) {
  if (choice->is_null()) *choice = json::object();
  const bool chat = part.contains("delta");
  const json text = chat ? part["delta"].value("content", json("")) : part["text"];
  (*choice)["text"] = choice->value("text", std::string()) + text.get<std::string>();
  if (chat && part["delta"].contains("role")) (*choice)["role"] = part["delta"]["role"];
  Append(part["logprobs"], &(*choice)["logprobs"]);
  for (const json& id : part.value("token_ids", json::array()))
    (*choice)["token_ids"].push_back(id);
  for (const char* key : {"prompt_token_ids", "stop_reason"}) {
    if (part.contains(key)) (*choice)[key] = part[key];
  }
  if (part["finish_reason"].is_null()) return;
  CHECK_FALSE(choice->contains("finish_reason"));
  (*choice)["finish_reason"] = part["finish_reason"];
}

Merged Merge(const std::string& stream) {
  Merged merged;
  size_t at = 0;
  bool done = false;
  while (at < stream.size()) {
    const size_t end = stream.find("\n\n", at);
    REQUIRE(end != std::string::npos);
    const std::string event = stream.substr(at, end - at);
    at = end + 2;
    REQUIRE(event.starts_with("data: "));
    CHECK_FALSE(done);
    done = event == "data: [DONE]";
    if (done) continue;
    const json chunk = json::parse(event.substr(6));
    ++merged.chunks;
    for (const json& part : chunk["choices"]) {
      MergeChoice(part, &merged.choices[part["index"].get<int>()]);
    }
    if (!chunk["usage"].is_null()) merged.usage = chunk["usage"];
  }
  CHECK(done);
  return merged;
}

json Post(Site& site, const char* path, json body, bool stream, std::string* text) {
  body["stream"] = stream;
  if (stream) body["stream_options"] = {{"include_usage", true}};
  auto client = site.Client();
  const auto answer = client.Post(path, body.dump(), "application/json");
  REQUIRE(answer);
  REQUIRE_MESSAGE(answer->status == 200, answer->body);
  *text = answer->body;
  return stream ? json() : json::parse(answer->body);
}

// Requests the answer as a stream and whole, and compares the two.
void CheckStreamEqualsWhole(Site& site, const char* path, const json& body) {
  CAPTURE(body.dump());
  std::string text;
  const json whole = Post(site, path, body, false, &text);
  Post(site, path, body, true, &text);
  Merged merged = Merge(text);
  REQUIRE(whole["choices"].size() == merged.choices.size());
  for (const json& choice : whole["choices"]) {
    json& streamed = merged.choices[choice["index"].get<int>()];
    const bool chat = choice.contains("message");
    CHECK(streamed["text"] == (chat ? choice["message"]["content"] : choice["text"]));
    if (chat) CHECK(streamed["role"] == "assistant");
    CHECK(streamed["finish_reason"] == choice["finish_reason"]);
    CHECK(streamed["stop_reason"] == choice["stop_reason"]);
    CHECK(streamed["logprobs"] == choice["logprobs"]);
    if (body.contains("return_token_ids")) {
      CHECK(streamed["token_ids"] == choice["token_ids"]);
      CHECK(streamed["prompt_token_ids"] == choice["prompt_token_ids"]);
    }
  }
  CHECK(merged.usage["prompt_tokens"] == whole["usage"]["prompt_tokens"]);
  CHECK(merged.usage["completion_tokens"] == whole["usage"]["completion_tokens"]);
}

TEST_CASE("chat: the stream adds up to the whole answer") {
  Site site;
  json body = Body(3, false);
  body.erase("stream");
  CheckStreamEqualsWhole(site, "/v1/chat/completions", body);
  body["n"] = 3;
  body["logprobs"] = true;
  body["top_logprobs"] = 4;
  CheckStreamEqualsWhole(site, "/v1/chat/completions", body);
  body["return_token_ids"] = true;
  body["return_tokens_as_token_ids"] = true;
  body["ignore_eos"] = false;
  CheckStreamEqualsWhole(site, "/v1/chat/completions", body);
}

TEST_CASE("completions: the stream adds up to the whole answer") {
  Site site;
  json body = {{"model", "fake"},
               {"prompt", "a b c"},
               {"seed", 5},
               {"max_tokens", 12},
               {"ignore_eos", true}};
  CheckStreamEqualsWhole(site, "/v1/completions", body);
  body["prompt"] = {"one", "two two", "\xc3\xa9"};
  body["n"] = 2;
  body["logprobs"] = 3;
  CheckStreamEqualsWhole(site, "/v1/completions", body);
  body["echo"] = true;
  body["return_token_ids"] = true;
  CheckStreamEqualsWhole(site, "/v1/completions", body);
  body["prompt"] = {{5, 6, 7}, {8}};
  CheckStreamEqualsWhole(site, "/v1/completions", body);
}

TEST_CASE("stop strings and stop tokens name what ended a choice") {
  Site site;
  json body = {{"model", "fake"},         {"prompt", "a b c"}, {"seed", 5},
               {"temperature", 0},        {"max_tokens", 12},  {"ignore_eos", true},
               {"return_token_ids", true}};
  std::string text;
  const json free = Post(site, "/v1/completions", body, false, &text);
  const json third = free["choices"][0]["token_ids"][2];
  body["stop_token_ids"] = {third};
  CheckStreamEqualsWhole(site, "/v1/completions", body);
  const json stopped = Post(site, "/v1/completions", body, false, &text);
  CHECK(stopped["choices"][0]["finish_reason"] == "stop");
  CHECK(stopped["choices"][0]["stop_reason"] == third);
  body.erase("stop_token_ids");
  const auto whole = free["choices"][0]["text"].get<std::string>();
  const auto character_after = [&](size_t at) {
    do ++at;
    while (at < whole.size() && (whole[at] & 0xC0) == 0x80);
    return at;
  };
  const size_t second = character_after(0), third_character = character_after(second);
  REQUIRE(third_character < whole.size());
  const std::string stop = whole.substr(second, third_character - second);
  body["stop"] = {stop};
  CheckStreamEqualsWhole(site, "/v1/completions", body);
  const json cut = Post(site, "/v1/completions", body, false, &text);
  CHECK(cut["choices"][0]["stop_reason"] == stop);
}

}  // namespace
}  // namespace edgegate
