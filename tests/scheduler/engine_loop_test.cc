// The engine loop under many threads that submit, cancel, drain and drop requests at once. Run
// under the thread sanitizer.

#include "scheduler/engine_loop.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <thread>

#include "tests/fakes/fake_model_runner.h"

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;

std::unique_ptr<FakeModelRunner> Fake(int blocks = 64) {
  return std::make_unique<FakeModelRunner>(RunnerLimits{50, 512, 4, blocks, 32, 16});
}

GenerationRequest Request(int max_tokens) {
  GenerationRequest r;
  r.prompt = {1, 2, 3, 4, 5};
  r.max_tokens = max_tokens;
  return r;
}

FinishReason Wait(GenerationHandle& handle) {
  FinishReason last = FinishReason::kNone;
  while (auto event = handle.Next(Clock::now() + std::chrono::seconds(30))) last = event->finish;
  return last;
}

TEST_CASE("requests of many threads to two models get their answers, some cancelled early") {
  EngineLoop engine(2);
  const std::vector<bool> valid(50, true);
  engine.AddModel(Fake(), {8, 32, 1000}, valid);
  engine.AddModel(Fake(), {8, 32, 1000}, valid, Fake());
  engine.Start();
  std::vector<std::thread> threads;
  std::atomic<int> finished{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        auto handle = engine.Submit(t % 2, Request(1 + i));
        if (!handle.ok()) continue;
        if (i % 5 == 1) continue;  // dropped
        if (i % 5 == 2) (*handle)->Cancel();
        const FinishReason reason = Wait(**handle);
        if (reason == FinishReason::kLength) ++finished;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  engine.Drain(Clock::now() + std::chrono::seconds(30));
  CHECK(finished >= 8 * 12);
  for (const auto& model : engine.snapshot().models) {
    CHECK(model.running == 0);
    CHECK(model.blocks_free == model.blocks_total);
  }
  CHECK(engine.Submit(0, Request(1)).status().code() == StatusCode::kUnavailable);
}

TEST_CASE("a model can be added while others answer") {
  EngineLoop engine(6);
  const std::vector<bool> valid(50, true);
  engine.AddModel(Fake(), {8, 32, 100}, valid);
  engine.Start();
  std::atomic<bool> added{false};
  std::atomic<int> asked{0};
  std::thread client([&] {
    while (!added) {
      auto handle = engine.Submit(0, Request(5));
      REQUIRE(handle.ok());
      CHECK(Wait(**handle) == FinishReason::kLength);
      ++asked;
    }
  });
  std::vector<std::thread> loaders;
  for (int t = 0; t < 5; ++t) {
    loaders.emplace_back([&] {
      const int index = engine.AddModel(Fake(), {8, 32, 100}, valid);
      auto handle = engine.Submit(index, Request(5));
      REQUIRE(handle.ok());
      CHECK(Wait(**handle) == FinishReason::kLength);
      CHECK(engine.snapshot().models.size() > static_cast<size_t>(index));
    });
  }
  for (auto& loader : loaders) loader.join();
  while (asked == 0) std::this_thread::yield();
  added = true;
  client.join();
  CHECK(engine.snapshot().models.size() == 6);
  CHECK_THROWS_AS(engine.AddModel(Fake(), {8, 32, 100}, valid), std::logic_error);
}

TEST_CASE("requests that can never run, and requests beyond the limit, are refused") {
  EngineLoop engine;
  engine.AddModel(Fake(8), {1, 32, 3}, std::vector<bool>(50, true));
  CHECK(engine.Submit(0, Request(1000)).status().code() == StatusCode::kInvalidArgument);
  GenerationRequest empty;
  CHECK(engine.Submit(0, std::move(empty)).status().code() == StatusCode::kInvalidArgument);
  GenerationRequest strange = Request(1);
  strange.prompt[0] = 50;
  CHECK(engine.Submit(0, std::move(strange)).status().code() == StatusCode::kInvalidArgument);
  // Not started: everything waits.
  std::vector<std::unique_ptr<GenerationHandle>> handles;
  for (int i = 0; i < 3; ++i) {
    auto handle = engine.Submit(0, Request(2));
    REQUIRE(handle.ok());
    handles.push_back(*std::move(handle));
  }
  CHECK(engine.Submit(0, Request(2)).status().code() == StatusCode::kResourceExhausted);
  engine.Start();
  for (auto& handle : handles) CHECK(Wait(*handle) == FinishReason::kLength);
}

TEST_CASE("requests submitted together are refused together, and have one handle") {
  EngineLoop engine;
  engine.AddModel(Fake(), {8, 32, 7}, std::vector<bool>(50, true));
  std::vector<GenerationRequest> requests = {Request(3), Request(100), Request(5)};
  for (GenerationRequest& request : requests) request.num_sequences = 2;
  std::vector<GenerationRequest> bad = requests;
  bad.back().prompt.clear();
  CHECK(engine.Submit(0, bad).status().code() == StatusCode::kInvalidArgument);
  auto many = requests;
  many.push_back(Request(1));
  many.back().client = "another";
  many.back().num_sequences = 2;
  CHECK(engine.Submit(0, many).status().code() == StatusCode::kResourceExhausted);
  // All six still fit: the refused requests hold no places.
  auto handle = engine.Submit(0, requests);
  REQUIRE(handle.ok());
  CHECK_FALSE((*handle)->Next(Clock::now()));
  (*handle)->Cancel(3);  // the second sequence of the second request
  engine.Start();
  std::vector<int> tokens(6);
  std::vector<FinishReason> reasons(6);
  while (auto event = (*handle)->Next(Clock::now() + std::chrono::seconds(30))) {
    REQUIRE(event->index < 6);
    const auto index = static_cast<size_t>(event->index);
    CHECK(reasons[index] == FinishReason::kNone);
    tokens[index] += static_cast<int>(event->tokens.size());
    reasons[index] = event->finish;
  }
  const auto length = FinishReason::kLength;
  CHECK(reasons == std::vector{length, length, length, FinishReason::kCancelled, length, length});
  CHECK(tokens == std::vector{3, 3, 100, 0, 5, 5});
}

TEST_CASE("a deadline ends a request with a clear status") {
  EngineLoop engine;
  engine.AddModel(Fake(), {8, 32, 100}, std::vector<bool>(50, true));
  engine.Start();
  GenerationRequest request = Request(100);
  request.deadline = Clock::now() - std::chrono::seconds(1);
  auto handle = engine.Submit(0, std::move(request));
  REQUIRE(handle.ok());
  const auto event = (*handle)->Next(Clock::now() + std::chrono::seconds(30));
  REQUIRE(event);
  CHECK(event->status.code() == StatusCode::kDeadlineExceeded);
}

TEST_CASE("drain cancels what does not finish in time") {
  EngineLoop engine;
  engine.AddModel(Fake(256), {8, 32, 100}, std::vector<bool>(50, true));
  engine.Start();
  auto handle = engine.Submit(0, Request(500));
  REQUIRE(handle.ok());
  engine.Drain(Clock::now());
  const FinishReason reason = Wait(**handle);
  CHECK((reason == FinishReason::kCancelled || reason == FinishReason::kLength));
}

TEST_CASE("the snapshot reports a turn of the loop that does not end") {
  EngineLoop engine;
  auto owned = std::make_unique<FakeModelRunner>(RunnerLimits{50, 512, 4, 64, 32, 16});
  FakeModelRunner* runner = owned.get();
  runner->held = true;
  engine.AddModel(std::move(owned), {8, 32, 100}, std::vector<bool>(50, true));
  engine.Start();
  auto handle = engine.Submit(0, Request(3));
  REQUIRE(handle.ok());
  const auto until = Clock::now() + std::chrono::seconds(30);
  while (engine.snapshot().turn < std::chrono::milliseconds(50)) REQUIRE(Clock::now() < until);
  CHECK_FALSE(engine.snapshot().stuck());
  EngineSnapshot later = engine.snapshot();
  later.turn += EngineSnapshot::kStuckAfter;
  CHECK(later.stuck());
  runner->held = false;
  CHECK(Wait(**handle) == FinishReason::kLength);
  while (engine.snapshot().turn != Clock::duration(0)) REQUIRE(Clock::now() < until);
}

TEST_CASE("damaged weights end the requests before a token of the step is delivered") {
  EngineLoop engine(2);
  std::atomic<bool> damaged{false};
  std::atomic<int> checks{0};
  const std::vector<bool> valid(50, true);
  engine.AddModel(Fake(), {1, 32, 100}, valid, nullptr, [&] {
    ++checks;
    return damaged ? Status(Internal("the file m.edgegate has changed")) : Status();
  });
  engine.AddModel(Fake(), {8, 32, 100}, valid);
  engine.Start();
  auto good = engine.Submit(0, Request(3));
  REQUIRE(good.ok());
  CHECK(Wait(**good) == FinishReason::kLength);
  CHECK(checks > 0);
  CHECK(engine.snapshot().models[0].failure.empty());
  damaged = true;
  good = engine.Submit(0, Request(400));
  auto waiting = engine.Submit(0, Request(3));
  for (auto* handle : {&good, &waiting}) {
    if (!handle->ok()) continue;  // the first one may have failed already
    const auto event = (**handle)->Next(Clock::now() + std::chrono::seconds(30));
    REQUIRE(event);
    CHECK(event->tokens.empty());
    CHECK(event->finish == FinishReason::kError);
    CHECK(event->status.message() == "the file m.edgegate has changed");
  }
  const auto refused = engine.Submit(0, Request(3)).status();
  CHECK(refused.code() == StatusCode::kUnavailable);
  CHECK(refused.message() == "the file m.edgegate has changed");
  const auto until = Clock::now() + std::chrono::seconds(30);
  while (engine.snapshot().models[0].failure.empty()) REQUIRE(Clock::now() < until);
  CHECK(engine.snapshot().models[1].failure.empty());
  auto other = engine.Submit(1, Request(3));
  REQUIRE(other.ok());
  CHECK(Wait(**other) == FinishReason::kLength);
}

TEST_CASE("one client cannot fill the queue, and its places return when its sequences run") {
  EngineLoop engine;
  engine.AddModel(Fake(), {2, 32, 16}, std::vector<bool>(50, true));
  std::vector<std::unique_ptr<GenerationHandle>> handles;
  while (true) {
    auto handle = engine.Submit(0, Request(2));
    if (!handle.ok()) break;
    handles.push_back(*std::move(handle));
  }
  CHECK(handles.size() == 12);
  GenerationRequest other = Request(2);
  other.client = "another";
  auto admitted = engine.Submit(0, std::move(other));
  CHECK(admitted.ok());
  engine.Start();
  for (auto& handle : handles) CHECK(Wait(*handle) == FinishReason::kLength);
  CHECK(Wait(**admitted) == FinishReason::kLength);
  for (auto& handle : handles) {
    auto again = engine.Submit(0, Request(2));
    REQUIRE(again.ok());
    handle = *std::move(again);
  }
  for (auto& handle : handles) CHECK(Wait(*handle) == FinishReason::kLength);
}

TEST_CASE("millions of stop ids and biases are sorted before the loop sees them") {
  EngineLoop engine;
  engine.AddModel(Fake(), {8, 32, 100}, std::vector<bool>(50, true));
  engine.Start();
  GenerationRequest request = Request(20);
  for (int i = 0; i < 4'000'000; ++i)
    request.stop_token_ids.push_back(i % 3 == 0 ? -1 : 50 + i % 1000);
  request.stop_token_ids.push_back(7);
  request.sampling.temperature = 0;
  for (int i = 0; i < 100'000; ++i) request.sampling.logit_bias.emplace_back(9, 1.0f);
  auto first = engine.Submit(0, request);
  REQUIRE(first.ok());
  CHECK((*first)->Next(Clock::now() + std::chrono::seconds(30))->tokens[0].token == 9);
  request.sampling.logit_bias = {{7, 100.0f}};
  auto second = engine.Submit(0, std::move(request));
  REQUIRE(second.ok());
  CHECK(Wait(**second) == FinishReason::kStop);
}

}  // namespace
}  // namespace edgegate
