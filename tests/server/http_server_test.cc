// The real HTTP server over the real engine loop, with a runner that has no model: clients that
// ask, stream, leave and err, all at once, and a drain in the middle. Run under the thread
// sanitizer.

#include <doctest/doctest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "engine/weights/model_source.h"
#include "server/http/server.h"
#include "tests/fakes/fake_model_runner.h"

// Two libraries' locks are in code that the sanitizer does not see, while it does see their calls
// of memcpy: httplib's strings that functions hold as statics, and the lock of the tokenizers'
// cache.
extern "C" const char* __tsan_default_suppressions();   // NOLINT(bugprone-reserved-identifier)
extern "C" const char* __tsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "called_from_lib:libcpp-httplib.so\nrace:tokenizers::utils::cache\n";
}

namespace edgegate {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

// A picture of one pixel.
const char* const kPixel =
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP43yAAAAQRAZ"
    "DHGw1eAAAAAElFTkSuQmCC";
constexpr int kImageRows = 3;

// A served fake: the tokenizer and template of a golden checkpoint, logits from a hash.
class Site {
 public:
  // Serves "fake" where it is the first of these names. The others never load.
  explicit Site(const std::vector<std::string>& names = {"fake"})
      : catalog_(*ModelCatalog::Make(names)), http_(Options()) {
    auto source =
        ModelSource::Open(std::string(EDGEGATE_SOURCE_DIR) + "/tests/golden/vision/glm-edge-v");
    REQUIRE(source.ok());
    const int vocab = (*source)->config().vocab_size;
    model_.name = "fake";
    model_.limits = {vocab, 512, 4, 256, 64, 16, 2, kImageRows, 2};
    source_ = *std::move(source);
    ModelHost::SetProgram(EDGEGATE_PROGRAM);
    TextModelSource text;
    text.assets = &source_->tokenizer_assets();
    text.vocab_size = vocab;
    text.eos_token_ids = source_->config().eos_token_ids;
    text.image_rows = kImageRows;
    auto loaded = ModelText::Load(text, {}, &jobs_, &memory_);
    REQUIRE(loaded.ok());
    model_.text = *std::move(loaded);
    model_.eos_token_ids = text.eos_token_ids;
    std::vector<bool> valid;
    for (int id = 0; id < vocab; ++id) valid.push_back(model_.text->vocabulary().IsValid(id));
    auto fake = std::make_unique<FakeModelRunner>(model_.limits);
    runner = fake.get();
    model_.engine_index = engine_.AddModel(std::move(fake), {8, 64, 64}, std::move(valid));
    REQUIRE(http_.Bind().ok());
    listener_ = std::thread([this] { http_.Run(); });
    engine_.Start();
    if (names.front() == model_.name) catalog_->SetReady(0, &model_);
  }

  ~Site() {
    http_.Stop();
    listener_.join();
  }

  httplib::Client Client() const {
    httplib::Client client("127.0.0.1", http_.port());
    client.set_read_timeout(60);
    return client;
  }

  // Sends a request, and gives the socket on which the answer comes: closing it is leaving.
  int Send(const std::string& path, const std::string& body) const {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(http_.port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    const std::string text =
        "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
    REQUIRE(send(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    return fd;
  }

  void Drain() {
    http_.StartDraining();
    engine_.Drain(Clock::now() + std::chrono::seconds(30));
  }

  // Whether every block is free again, within a while: a client's leaving is noticed in a step.
  bool AllFree() const {
    for (int i = 0; i < 1000; ++i) {
      const auto model = engine_.snapshot().models[0];
      if (model.running + model.waiting == 0 && model.blocks_free == model.blocks_total) {
        return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  EngineSnapshot::Model Snapshot() const { return engine_.snapshot().models[0]; }

  FakeModelRunner* runner = nullptr;

 private:
  ServerOptions Options() {
    ServerOptions options;
    options.memory = &memory_;
    options.engine = &engine_;
    options.catalog = catalog_.get();
    options.port = 0;
    return options;
  }

  MemoryBudget memory_{int64_t{256} << 20};
  JobSlots jobs_{2, 256};
  std::unique_ptr<ModelSource> source_;
  ServedModel model_;
  EngineLoop engine_;
  const std::unique_ptr<ModelCatalog> catalog_;
  HttpServer http_;
  std::thread listener_;
};

json Body(int seed, bool stream) {
  return {{"model", "fake"},
          {"messages", {{{"role", "user"}, {"content", "hello " + std::to_string(seed)}}}},
          {"seed", seed},
          {"max_tokens", 20},
          {"ignore_eos", true},
          {"stream", stream}};
}

json PictureBody(bool stream) {
  json body = Body(1, stream);
  body["messages"][0]["content"] = {{{"type", "text"}, {"text", "what?"}},
                                    {{"type", "image_url"}, {"image_url", {{"url", kPixel}}}}};
  return body;
}

struct Answer {
  int status = 0;
  std::string text;
  bool complete = false;
};

Answer Ask(httplib::Client& client, int seed) {
  const auto result =
      client.Post("/v1/chat/completions", Body(seed, false).dump(), "application/json");
  if (!result) return {};
  const json answer = json::parse(result->body);
  if (result->status != 200) return {result->status, answer["error"]["message"], false};
  return {200, answer["choices"][0]["message"]["content"], true};
}

// Reads a stream; leaves after `most` events.
Answer Stream(httplib::Client& client, int seed, int most) {
  std::string raw;
  int events = 0;
  httplib::Request request;
  request.method = "POST";
  request.path = "/v1/chat/completions";
  request.headers = {{"Content-Type", "application/json"}};
  request.body = Body(seed, true).dump();
  request.content_receiver = [&](const char* data, size_t size, uint64_t, uint64_t) {
    raw.append(data, size);
    return ++events < most;
  };
  const auto result = client.send(request);
  Answer answer{result ? result->status : 0, "", raw.find("data: [DONE]") != std::string::npos};
  for (size_t at = 0; (at = raw.find("data: {", at)) != std::string::npos; ++at) {
    const size_t end = raw.find('\n', at);
    if (end == std::string::npos) break;
    const json event = json::parse(raw.substr(at + 6, end - at - 6));
    answer.text += event["choices"][0]["delta"].value("content", "");
  }
  return answer;
}

TEST_CASE("many clients at once get what they get alone, and leave nothing behind") {
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
  std::atomic<int> wrong{0}, right{0};
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
        ++(good ? right : wrong);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(right == 8 * 14);
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

TEST_CASE("several prompts of one request get what they get alone, streamed or not") {
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

TEST_CASE("a client that leaves takes its picture along") {
  for (bool stream : {false, true}) {
    Site site;
    site.runner->unit_ms = 500;
    const int fd = site.Send("/v1/chat/completions", PictureBody(stream).dump());
    while (site.Snapshot().waiting == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    close(fd);
    CHECK(site.AllFree());
    CHECK(site.Snapshot().images_encoded == 0);
    site.runner->unit_ms = 0;
    auto client = site.Client();
    for (int i = 0; i < 2; ++i) {
      const auto stays =
          client.Post("/v1/chat/completions", PictureBody(false).dump(), "application/json");
      REQUIRE(stays);
      CHECK(stays->status == 200);
      CHECK(json::parse(stays->body)["timings"]["images_encoded"] == 1 - i);
    }
    CHECK(site.Snapshot().images_encoded == 1);
    CHECK(site.AllFree());
  }
}

// The status of /health, and what its body says.
std::pair<int, std::string> Health(httplib::Client& client) {
  const auto answer = client.Get("/health");
  REQUIRE(answer);
  return {answer->status, json::parse(answer->body)["status"]};
}

TEST_CASE("health tells of an engine that is stuck, and of one that fails") {
  const std::pair<int, std::string> ok{200, "ok"}, stuck{503, "stuck"}, failing{503, "failing"};
  Site site;
  auto client = site.Client(), other = site.Client();
  CHECK(Health(client) == ok);
  site.runner->held = true;
  std::thread asking([&] { CHECK(Ask(other, 1).status == 200); });
  const auto until = Clock::now() + std::chrono::seconds(60);
  while (Health(client) == ok && Clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  CHECK(Health(client) == stuck);
  site.runner->held = false;
  asking.join();
  while (Health(client) == stuck && Clock::now() < until) std::this_thread::yield();
  CHECK(Health(client) == ok);
  site.runner->fail_next = 3;
  for (int i = 0; i < 3; ++i) CHECK(Ask(client, i).status == 500);
  CHECK(Health(client) == failing);
  CHECK(Ask(client, 4).status == 200);
  CHECK(Health(client) == ok);
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
