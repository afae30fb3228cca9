// Requests for embeddings in the engine loop: batches, turns, limits, errors and ends.

#include "scheduler/encoder_loop.h"

#include <doctest/doctest.h>

#include <thread>

#include "scheduler/engine_loop.h"
#include "tests/fakes/fake_model_runner.h"

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;

// An encoder whose embeddings are the first token and the length of a text. It takes two slices.
class FakeEncoder : public TextEncoder {
 public:
  struct Log {
    std::vector<std::vector<int32_t>> batches;  // first tokens
    Status error;                               // of the next slice
    int slices = 0;
  };

  explicit FakeEncoder(Log* log) : log_(log) {}

  const TextEncoderLimits& limits() const override { return limits_; }
  Status Begin(std::span<const TextTokens> texts) override {
    EG_RETURN_IF_ERROR(CheckTexts(texts, limits_));
    values_.clear();
    auto& batch = log_->batches.emplace_back();
    for (const TextTokens& text : texts) {
      values_.push_back(static_cast<float>(text[0]));
      values_.push_back(static_cast<float>(text.size()));
      batch.push_back(text[0]);
    }
    slices_ = 0;
    return {};
  }
  Result<bool> Slice(int /*max_tokens*/) override {
    ++log_->slices;
    EG_RETURN_IF_ERROR(std::exchange(log_->error, {}));
    return ++slices_ == 2;
  }
  const float* Embedding(int index) const override { return values_.data() + index * 2; }

 private:
  const TextEncoderLimits limits_ = {.vocab_size = 1000,
                                     .max_text_tokens = 8,
                                     .max_batched_tokens = 8,
                                     .max_batched_texts = 4,
                                     .width = 2};
  Log* const log_;
  std::vector<float> values_;
  int slices_ = 0;
};

std::shared_ptr<EncodeJob> Job(const std::string& client, int first, int count, int tokens = 1) {
  EncodeRequest request;
  request.client = client;
  for (int i = 0; i < count; ++i) {
    request.texts.emplace_back(static_cast<size_t>(tokens), first + i);
  }
  return std::make_shared<EncodeJob>(std::move(request), AdmissionTicket(), 2);
}

bool Ended(const std::shared_ptr<EncodeJob>& job) { return job->Wait(Clock::now()); }

TEST_CASE("clients take turns, a text each") {
  FakeEncoder::Log log;
  EncoderLoop loop(std::make_unique<FakeEncoder>(&log));
  const auto many = Job("a", 100, 6), few = Job("b", 200, 1), more = Job("a", 300, 1);
  loop.Add(many);
  loop.Add(few);
  loop.Add(more);
  CHECK(loop.snapshot().waiting == 8);
  while (loop.HasWork()) CHECK(loop.Step(false));
  CHECK(log.batches ==
        std::vector<std::vector<int32_t>>{{100, 200, 101, 102}, {103, 104, 105, 300}});
  REQUIRE(Ended(many));
  CHECK(many->status().ok());
  CHECK(many->embeddings() == std::vector<float>{100, 1, 101, 1, 102, 1, 103, 1, 104, 1, 105, 1});
  CHECK(loop.snapshot().texts_encoded == 8);
  CHECK(loop.snapshot().prompt_tokens == 8);
}

TEST_CASE("a batch has at most the encoder's tokens") {
  FakeEncoder::Log log;
  EncoderLoop loop(std::make_unique<FakeEncoder>(&log));
  loop.Add(Job("a", 1, 3, 3));
  loop.Add(Job("b", 9, 1, 8));
  while (loop.HasWork()) CHECK(loop.Step(false));
  CHECK(log.batches == std::vector<std::vector<int32_t>>{{1}, {9}, {2, 3}});
}

TEST_CASE("beside running streams a step is one slice") {
  FakeEncoder::Log log;
  EncoderLoop loop(std::make_unique<FakeEncoder>(&log));
  const auto job = Job("a", 1, 8);
  loop.Add(job);
  for (int step = 1; step <= 4; ++step) {
    CHECK(loop.HasWork());
    CHECK(loop.Step(true));
    CHECK(log.slices == step);
  }
  CHECK(Ended(job));
  CHECK_FALSE(loop.HasWork());
}

TEST_CASE("cancelled and late requests end, and the batch of nobody is dropped") {
  FakeEncoder::Log log;
  EncoderLoop loop(std::make_unique<FakeEncoder>(&log));
  const auto cancelled = Job("a", 1, 9);
  EncodeRequest request;
  request.texts = {{5}};
  request.deadline = Clock::now() - std::chrono::seconds(1);
  const auto late = std::make_shared<EncodeJob>(std::move(request), AdmissionTicket(), 2);
  loop.Add(cancelled);
  loop.Add(late);
  CHECK(loop.Step(true));
  cancelled->Cancel();
  loop.Sweep(Clock::now());
  CHECK(late->status().code() == StatusCode::kDeadlineExceeded);
  CHECK(cancelled->status().code() == StatusCode::kCancelled);
  CHECK_FALSE(loop.HasWork());
  const auto next = Job("a", 7, 1);
  loop.Add(next);
  loop.CancelAll();
  CHECK(next->status().code() == StatusCode::kUnavailable);
  CHECK_FALSE(loop.HasWork());
}

TEST_CASE("a failed slice ends the requests of its batch only") {
  FakeEncoder::Log log;
  EncoderLoop loop(std::make_unique<FakeEncoder>(&log));
  const auto first = Job("a", 1, 6), second = Job("a", 50, 1);
  loop.Add(first);
  loop.Add(second);
  log.error = Internal("broken");
  CHECK_FALSE(loop.Step(true));
  CHECK(first->status().code() == StatusCode::kInternal);
  CHECK_FALSE(Ended(second));
  while (loop.HasWork()) CHECK(loop.Step(false));
  CHECK(second->status().ok());
  CHECK(second->embeddings() == std::vector<float>{50, 1});
}

TEST_CASE("damaged weights end all requests, now and later") {
  FakeEncoder::Log log;
  Status weights;
  EncoderLoop loop(std::make_unique<FakeEncoder>(&log), [&] { return weights; });
  const auto first = Job("a", 1, 1), second = Job("b", 2, 7);
  loop.Add(first);
  loop.Add(second);
  weights = DataLoss("the file was changed");
  CHECK_FALSE(loop.Step(false));
  CHECK(first->status().code() == StatusCode::kDataLoss);
  CHECK(second->status().code() == StatusCode::kDataLoss);
  CHECK_FALSE(loop.HasWork());
  const auto later = Job("a", 1, 1);
  loop.Add(later);
  CHECK(later->status().code() == StatusCode::kUnavailable);
}

TEST_CASE("many threads submit texts beside generation, and get their own embeddings") {
  FakeEncoder::Log log;
  EngineLoop engine(2);
  auto fake = std::make_unique<FakeModelRunner>(RunnerLimits{50, 512, 4, 64, 32, 16});
  const int generator =
      engine.AddModel(std::move(fake), {8, 32, 1000}, std::vector<bool>(50, true));
  const int encoder = engine.AddEncoder(std::make_unique<FakeEncoder>(&log));
  engine.Start();
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        GenerationRequest generate;
        generate.prompt = {1, 2, 3};
        const auto beside = engine.Submit(generator, std::move(generate));
        EncodeRequest request;
        request.client = std::to_string(t % 3);
        for (int k = 0; k < 5; ++k) request.texts.push_back({100 * t + i, k});
        auto handle = engine.SubmitTexts(encoder, std::move(request));
        REQUIRE(handle.ok());
        if (i % 4 == 3) continue;  // dropped
        REQUIRE((*handle)->Wait(Clock::now() + std::chrono::seconds(30)));
        CHECK((*handle)->status().ok());
        for (size_t k = 0; k < 5; ++k) {
          CHECK((*handle)->embeddings()[2 * k] == static_cast<float>(100 * t + i));
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  engine.Drain(Clock::now() + std::chrono::seconds(30));
  CHECK(engine.SubmitTexts(encoder, {"", {{1}}, {}}).status().code() == StatusCode::kUnavailable);
}

TEST_CASE("texts that can never be computed, and texts beyond the limit, are refused") {
  FakeEncoder::Log log;
  EngineLoop engine(2);
  auto fake = std::make_unique<FakeModelRunner>(RunnerLimits{50, 512, 4, 64, 32, 16});
  const int generator =
      engine.AddModel(std::move(fake), {8, 32, 1000}, std::vector<bool>(50, true));
  const int encoder = engine.AddEncoder(std::make_unique<FakeEncoder>(&log));
  const auto code = [&](int model, std::vector<std::vector<int32_t>> texts) {
    return engine.SubmitTexts(model, {"a", std::move(texts), {}}).status().code();
  };
  CHECK(code(generator, {{1}}) == StatusCode::kInvalidArgument);
  CHECK(code(encoder, {}) == StatusCode::kInvalidArgument);
  CHECK(code(encoder, {{}}) == StatusCode::kInvalidArgument);
  CHECK(code(encoder, {{1000}}) == StatusCode::kInvalidArgument);
  CHECK(code(encoder, {std::vector<int32_t>(9, 1)}) == StatusCode::kInvalidArgument);
  GenerationRequest generate;
  generate.prompt = {1};
  CHECK(engine.Submit(encoder, std::move(generate)).status().code() ==
        StatusCode::kInvalidArgument);
  // Not started: everything waits. One client gets three quarters of the places.
  const std::vector<std::vector<int32_t>> many(2048, {1});
  auto first = engine.SubmitTexts(encoder, {"a", many, {}});
  CHECK(first.ok());
  CHECK(code(encoder, many) == StatusCode::kResourceExhausted);
  CHECK(engine.CheckAdmission(encoder, "a", 2048).code() == StatusCode::kResourceExhausted);
  CHECK(engine.CheckAdmission(encoder, "b", 1).ok());
  engine.Start();
  REQUIRE((*first)->Wait(Clock::now() + std::chrono::seconds(30)));
  CHECK((*first)->status().ok());
}

}  // namespace
}  // namespace edgegate
