// Many clients of the HTTP server at once: some stream, some leave early, some send errors. The
// server drains in the middle. Run under the thread sanitizer.

#include <atomic>
#include <sstream>

#include "tests/server/http_site.h"

// The sanitizer does not see the locks in the code of two libraries, but sees their calls of
// memcpy. These are the static strings in functions of httplib, and the cache of the tokenizers
// crate.
extern "C" const char* __tsan_default_suppressions();   // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __tsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "called_from_lib:libcpp-httplib.so\nrace:tokenizers::utils::cache\n";
}

namespace edgegate {
namespace {

TEST_CASE("many clients at once get the answers that they get alone, and release everything") {
  Site site;
  std::vector<std::string> alone;
  {
    auto client = site.Client();
    for (int seed = 0; seed < 4; ++seed) {
      const Answer answer = Ask(client, seed);
      REQUIRE(answer.status == 200);
      alone.push_back(answer.text);
    }
  }
  CHECK(alone[0] != alone[1]);
  std::atomic<int> wrong{0}, correct{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      auto client = site.Client();
      client.set_keep_alive(t % 2 == 0);
      for (int i = 0; i < 14; ++i) {
        const int seed = (t + i) % 4;
        bool good = true;
        switch ((t + i) % 7) {
          case 0:
          case 1:
            good = Ask(client, seed).text == alone[seed];
            break;
          case 2:
          case 3: {
            const Answer answer = Stream(client, seed, 1 << 20);
            good = answer.complete && answer.text == alone[seed];
            break;
          }
          case 4:
            good = !Stream(client, seed, 2).complete;
            break;
          case 5: {
            const auto bad = client.Post("/v1/completions", "{\"model\": ", "application/json");
            good = bad && bad->status == 400;
            break;
          }
          default: {
            const auto health = client.Get("/health"), models = client.Get("/v1/models");
            good = health && health->status == 200 && models && models->status == 200;
          }
        }
        ++(good ? correct : wrong);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(correct == 8 * 14);
  CHECK(site.AllFree());
}

json PromptsBody(const std::vector<std::string>& prompts, bool stream) {
  return {{"model", "fake"},  {"prompt", prompts},  {"seed", 7},       {"n", 2},
          {"max_tokens", 20}, {"ignore_eos", true}, {"stream", stream}};
}

// The texts of all choices, streamed or not.
std::vector<std::string> Complete(httplib::Client& client, const std::vector<std::string>& prompts,
                                  bool stream) {
  const auto result =
      client.Post("/v1/completions", PromptsBody(prompts, stream).dump(), "application/json");
  REQUIRE(result);
  REQUIRE(result->status == 200);
  std::vector<std::string> texts(prompts.size() * 2);
  const auto add = [&](const json& answer) {
    for (const json& choice : answer["choices"]) {
      texts.at(choice["index"].get<size_t>()) += choice["text"].get<std::string>();
    }
  };
  if (!stream) {
    add(json::parse(result->body));
    return texts;
  }
  std::stringstream lines(result->body);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("data: {")) add(json::parse(line.substr(6)));
  }
  return texts;
}

TEST_CASE("several prompts of one request get the answers of single ones, streamed or not") {
  Site site;
  auto client = site.Client();
  const std::vector<std::string> prompts = {"one", "two and more", "three", "one"};
  std::vector<std::string> alone;
  for (const std::string& prompt : prompts) {
    for (std::string& text : Complete(client, {prompt}, false)) alone.push_back(std::move(text));
  }
  CHECK(alone[0] != alone[2]);
  for (bool stream : {false, true}) CHECK(Complete(client, prompts, stream) == alone);
  CHECK(site.AllFree());
  for (bool stream : {false, true}) {
    close(site.Send("/v1/completions", PromptsBody(prompts, stream).dump()));
    CHECK(site.AllFree());
  }
}

TEST_CASE("a client that leaves cancels its image") {
  for (bool stream : {false, true}) {
    Site site;
    site.runner->slice_ms = 500;
    const int fd = site.Send("/v1/chat/completions", ImageBody(stream).dump());
    while (site.Snapshot().waiting == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    close(fd);
    CHECK(site.AllFree());
    CHECK(site.Snapshot().images_encoded == 0);
    site.runner->slice_ms = 0;
    auto client = site.Client();
    for (int i = 0; i < 2; ++i) {
      const auto stays =
          client.Post("/v1/chat/completions", ImageBody(false).dump(), "application/json");
      REQUIRE(stays);
      CHECK(stays->status == 200);
      CHECK(json::parse(stays->body)["timings"]["images_encoded"] == 1 - i);
    }
    CHECK(site.Snapshot().images_encoded == 1);
    CHECK(site.AllFree());
  }
}

TEST_CASE("a drain lets running answers finish and refuses new ones") {
  Site site;
  std::string alone;
  {
    auto client = site.Client();
    alone = Ask(client, 1).text;
  }
  std::atomic<int> served{0}, refused{0}, other{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      auto client = site.Client();
      for (int i = 0; i < 20000 && refused < 6; ++i) {
        const Answer answer = t % 2 ? Ask(client, 1) : Stream(client, 1, 1 << 20);
        if (answer.complete) {
          ++(answer.text == alone ? served : other);
        } else {
          ++(answer.status == 503 ? refused : other);
        }
      }
    });
  }
  while (served < 6) std::this_thread::yield();
  site.Drain();
  for (auto& thread : threads) thread.join();
  CHECK(refused >= 6);
  CHECK(other == 0);
  CHECK(site.AllFree());
}

}  // namespace
}  // namespace edgegate
