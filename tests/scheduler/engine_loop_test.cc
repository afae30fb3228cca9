// The engine loop's threads: submit, cancel, drain and drop from many at once. Run under the thread
// sanitizer.

#include "scheduler/engine_loop.h"

#include <doctest/doctest.h>

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

TEST_CASE("many threads, two models, some leaving early") {
  EngineLoop engine;
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

TEST_CASE("requests that can never run, and too many of them, are refused") {
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
  // All six still fit: those that were refused left nothing waiting.
  auto handle = engine.Submit(0, requests);
  REQUIRE(handle.ok());
  CHECK_FALSE((*handle)->Next(Clock::now()));
  (*handle)->Cancel(3);  // the second of the second
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

}  // namespace
}  // namespace edgegate
