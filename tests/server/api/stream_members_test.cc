// Members of streams: heartbeats, the usage and the timings so far, warnings, the last delta.

#include "tests/server/http_site.h"

namespace edgegate {
namespace {

std::string Post(Site& site, const json& body) {
  auto client = site.Client();
  const auto answer = client.Post("/v1/chat/completions", body.dump(), "application/json");
  REQUIRE(answer);
  REQUIRE_MESSAGE(answer->status == 200, answer->body);
  return answer->body;
}

std::vector<json> Chunks(const std::string& stream) {
  std::vector<json> chunks;
  for (size_t at = 0; (at = stream.find("data: {", at)) != std::string::npos; ++at) {
    chunks.push_back(json::parse(stream.substr(at + 6, stream.find('\n', at) - at - 6)));
  }
  return chunks;
}

TEST_CASE("a stream whose request waits has comments") {
  Site site({"fake"}, std::chrono::milliseconds(1));
  site.runner->held = true;
  const int fd = site.Send("/v1/chat/completions", Body(1, true).dump());
  // The engine is held. The answer goes on only after a comment has come.
  std::string text;
  char piece[4096];
  while (text.find("\n:") == std::string::npos) {
    const ssize_t size = recv(fd, piece, sizeof piece, 0);
    REQUIRE(size > 0);
    text.append(piece, static_cast<size_t>(size));
  }
  CHECK(Chunks(text).size() <= 1);
  site.runner->held = false;
  while (text.find("data: [DONE]") == std::string::npos) {
    const ssize_t size = recv(fd, piece, sizeof piece, 0);
    REQUIRE(size > 0);
    text.append(piece, static_cast<size_t>(size));
  }
  close(fd);
  CHECK(site.AllFree());
}

TEST_CASE("continuous_usage_stats: every chunk has the counts so far") {
  Site site;
  json body = Body(3, true);
  body["stream_options"] = {{"include_usage", true}, {"continuous_usage_stats", true}};
  const std::vector<json> chunks = Chunks(Post(site, body));
  int completion = 0;
  for (const json& chunk : chunks) {
    const json& usage = chunk["usage"];
    REQUIRE(usage.is_object());
    CHECK(usage["completion_tokens"] >= completion);
    completion = usage["completion_tokens"];
    CHECK(usage["total_tokens"] == usage["prompt_tokens"].get<int>() + completion);
  }
  CHECK(completion == 20);
}

TEST_CASE("timings_per_token: every chunk has timings") {
  Site site;
  json body = Body(3, true);
  body["timings_per_token"] = true;
  int predicted = 0;
  for (const json& chunk : Chunks(Post(site, body))) {
    REQUIRE(chunk["timings"].is_object());
    CHECK(chunk["timings"]["predicted_n"] >= predicted);
    predicted = chunk["timings"]["predicted_n"];
  }
  CHECK(predicted == 20);
}

TEST_CASE("the last chunk has the warnings, and the chunk of the finish_reason an empty delta") {
  Site site;
  for (const bool usage : {false, true}) {
    CAPTURE(usage);
    json body = Body(3, true);
    body["frobnicate"] = 1;
    body["n"] = 3;
    if (usage) body["stream_options"] = {{"include_usage", true}};
    const std::vector<json> chunks = Chunks(Post(site, body));
    for (size_t i = 0; i < chunks.size(); ++i) {
      CHECK(chunks[i].contains("warnings") == (i + 1 == chunks.size()));
      CHECK(chunks[i]["service_tier"] == "default");
      for (const json& choice : chunks[i]["choices"]) {
        if (!choice["finish_reason"].is_null()) CHECK(choice["delta"].empty());
      }
    }
    CHECK(chunks.back()["warnings"] == json::array({"'frobnicate' is unknown and has no effect."}));
    CHECK(chunks.back()["choices"].empty() == usage);
    body["stream"] = false;
    body.erase("stream_options");
    const json whole = json::parse(Post(site, body));
    CHECK(whole["warnings"] == chunks.back()["warnings"]);
    CHECK(whole["usage"]["completion_tokens_details"]["reasoning_tokens"] == 0);
  }
}

TEST_CASE("max_tokens beyond the context is cut to what fits") {
  Site site;
  json body = Body(3, false);
  body["max_tokens"] = 100000;
  const json whole = json::parse(Post(site, body));
  CHECK(whole["choices"][0]["finish_reason"] == "length");
  CHECK(whole["usage"]["total_tokens"] == 512);
}

}  // namespace
}  // namespace edgegate
