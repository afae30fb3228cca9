// The real HTTP server and the real engine loop with a fake model runner, and functions of its
// clients.
#pragma once

#include <doctest/doctest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "engine/family/model_source.h"
#include "server/api/api_server.h"
#include "tests/fakes/fake_model_runner.h"

namespace edgegate {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

// An image of one pixel.
inline const char* const kPixel =
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP43yAAAAQRAZ"
    "DHGw1eAAAAAElFTkSuQmCC";

// A served fake model: the tokenizer and template of a golden checkpoint, and logits from a hash.
class Site {
 public:
  // Serves the model "fake" if it is the first of these names. The other models never load.
  // `heartbeat`: see ApiServices.
  explicit Site(const std::vector<std::string>& names = {"fake"},
                std::chrono::milliseconds heartbeat = ApiServices{}.heartbeat)
      : catalog_(*ModelCatalog::Make(names)), api_({.port = 0}, {}, Services(heartbeat)) {
    auto source =
        ModelSource::Open(std::string(EDGEGATE_SOURCE_DIR) + "/tests/golden/vision/glm-edge-v");
    REQUIRE(source.ok());
    const int vocab = (*source)->config().vocab_size;
    model_.name = "fake";
    model_.limits = {vocab, 512, 4, 256, 64, 16, 2, std::make_shared<FakeMedia>()};
    source_ = *std::move(source);
    ModelHost::SetProgram(EDGEGATE_PROGRAM);
    TextModelSource text;
    text.assets = &source_->tokenizer_assets();
    text.vocab_size = vocab;
    text.eos_token_ids = source_->config().eos_token_ids;
    text.takes_images = true;
    auto loaded = ModelText::Load(text, {}, &jobs_, &memory_);
    REQUIRE(loaded.ok());
    model_.text = *std::move(loaded);
    model_.eos_token_ids = text.eos_token_ids;
    model_.valid_tokens = ValidTokens(model_.text->vocabulary(), vocab);
    std::vector<bool> valid;
    for (int id = 0; id < vocab; ++id) valid.push_back(model_.text->vocabulary().IsValid(id));
    auto fake = std::make_unique<FakeModelRunner>(model_.limits);
    runner = fake.get();
    model_.engine_index = engine_.AddModel(std::move(fake), {8, 64, 64}, std::move(valid));
    REQUIRE(api_.Bind().ok());
    listener_ = std::thread([this] { api_.Run(); });
    engine_.Start();
    if (names.front() == model_.name) catalog_->SetReady(0, &model_);
  }

  ~Site() {
    api_.Stop();
    listener_.join();
  }

  httplib::Client Client() const {
    httplib::Client client("127.0.0.1", api_.port());
    client.set_read_timeout(60);
    return client;
  }

  // Sends a request, and returns the socket of the answer. A test closes it to act as a client that
  // leaves.
  int Send(const std::string& path, const std::string& body) const {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(api_.port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    const std::string text =
        "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
    REQUIRE(send(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    return fd;
  }

  void Drain() {
    api_.StartDraining();
    engine_.Drain(Clock::now() + std::chrono::seconds(30));
  }

  // Waits up to 10 s until all blocks are free. The engine notices in a step that a client has
  // left.
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
  ApiServices Services(std::chrono::milliseconds heartbeat) {
    ApiServices services;
    services.heartbeat = heartbeat;
    services.memory = &memory_;
    services.engine = &engine_;
    services.catalog = catalog_.get();
    return services;
  }

  MemoryBudget memory_{int64_t{256} << 20};
  JobSlots jobs_{2, 256};
  std::unique_ptr<ModelSource> source_;
  ServedModel model_;
  EngineLoop engine_;
  const std::unique_ptr<ModelCatalog> catalog_;
  ApiServer api_;
  std::thread listener_;
};

inline json Body(int seed, bool stream) {
  return {{"model", "fake"},
          {"messages", {{{"role", "user"}, {"content", "hello " + std::to_string(seed)}}}},
          {"seed", seed},
          {"max_tokens", 20},
          {"ignore_eos", true},
          {"stream", stream}};
}

inline json ImageBody(bool stream) {
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

inline Answer Ask(httplib::Client& client, int seed) {
  const auto result =
      client.Post("/v1/chat/completions", Body(seed, false).dump(), "application/json");
  if (!result) return {};
  const json answer = json::parse(result->body);
  if (result->status != 200) return {result->status, answer["error"]["message"], false};
  return {200, answer["choices"][0]["message"]["content"], true};
}

// Reads a stream, and closes the connection after `most` events.
inline Answer Stream(httplib::Client& client, int seed, int most) {
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

}  // namespace edgegate
