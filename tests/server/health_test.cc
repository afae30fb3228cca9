// Answers of /health and of requests: for an engine that is stuck or fails, and for models that
// load.

#include "tests/server/http_site.h"

namespace edgegate {
namespace {

// The status of /health, and what its body says.
std::pair<int, std::string> Health(httplib::Client& client) {
  const auto answer = client.Get("/health");
  REQUIRE(answer);
  return {answer->status, json::parse(answer->body)["status"]};
}

// Waits for this health for a limited time. The engine publishes its state after it has sent its
// events.
bool Becomes(httplib::Client& client, const std::pair<int, std::string>& wanted) {
  const auto until = Clock::now() + std::chrono::seconds(60);
  while (Health(client) != wanted && Clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return Health(client) == wanted;
}

TEST_CASE("/health reports a stuck and a failing engine") {
  const std::pair<int, std::string> ok{200, "ok"}, stuck{503, "stuck"}, failing{503, "failing"};
  Site site;
  auto client = site.Client(), other = site.Client();
  CHECK(Becomes(client, ok));
  site.runner->held = true;
  std::thread asking([&] { CHECK(Ask(other, 1).status == 200); });
  CHECK(Becomes(client, stuck));
  site.runner->held = false;
  asking.join();
  CHECK(Becomes(client, ok));
  site.runner->fail_next = 3;
  for (int i = 0; i < 3; ++i) CHECK(Ask(client, i).status == 500);
  CHECK(Becomes(client, failing));
  CHECK(Ask(client, 4).status == 200);
  CHECK(Becomes(client, ok));
}

TEST_CASE("a model that is loading: 503 for its requests, while the others answer") {
  Site site({"fake", "late"});
  auto client = site.Client();
  CHECK(Ask(client, 1).status == 200);
  const auto post = [&](const std::string& model) {
    const json body = {{"model", model}, {"prompt", "a"}, {"max_tokens", 1}};
    auto answer = client.Post("/v1/completions", body.dump(), "application/json");
    REQUIRE(answer);
    return answer;
  };
  CHECK(post("fake")->status == 200);
  const auto late = post("late");
  CHECK(late->status == 503);
  CHECK(late->get_header_value("Retry-After") == "1");
  CHECK(json::parse(late->body)["error"]["message"] == "the model 'late' is still loading");
  CHECK(post("none")->status == 404);
  const auto one = client.Get("/v1/models/late");
  REQUIRE(one);
  CHECK(one->status == 503);
  const auto all = client.Get("/v1/models");
  REQUIRE(all);
  CHECK(json::parse(all->body)["data"].size() == 1);
  const auto health = client.Get("/health");
  REQUIRE(health);
  CHECK(health->status == 503);
  const json told = json::parse(health->body);
  CHECK(told["status"] == "loading");
  CHECK(told["models"][0]["name"] == "fake");
  CHECK(told["models"][0]["status"] == "ok");
  CHECK(told["models"][1] == json{{"name", "late"}, {"status", "loading"}});
}

TEST_CASE("no model is loaded: every request but /health is answered by 503") {
  Site site({"other", "fake"});
  auto client = site.Client();
  for (const char* path : {"/v1/models", "/v1/models/fake", "/nothing"}) {
    const auto answer = client.Get(path);
    REQUIRE(answer);
    CHECK(answer->status == 503);
    CHECK(answer->get_header_value("Retry-After") == "1");
  }
  const std::pair<int, std::string> loading{503, "loading"};
  CHECK(Health(client) == loading);
}

}  // namespace
}  // namespace edgegate
