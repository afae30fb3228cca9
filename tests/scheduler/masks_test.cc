// Sequences whose masks are computed by another thread or process: they wait without delaying
// others, fail alone, and give the same tokens whatever the delays of their masks.

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <thread>

#include "scheduler/model_loop.h"
#include "tests/fakes/add_request.h"
#include "tests/fakes/fake_model_runner.h"

namespace edgegate {
namespace {

constexpr int kVocab = 50;
const RunnerLimits kLimits{kVocab, 512, 4, 200, 32, 8};

// Allows every id. The test sets the state of the masks.
class OnDemand : public TokenConstraint {
 public:
  struct Shared {
    std::atomic<State> state{State::kReady};
    std::atomic<int> waits{0};
  };
  explicit OnDemand(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  std::unique_ptr<TokenConstraint> Clone() const override {
    return std::make_unique<OnDemand>(shared_);
  }
  State Poll() override { return shared_->state; }
  State Wait(TimePoint deadline) override {
    ++shared_->waits;
    while (shared_->state == State::kComputing && Clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    return shared_->state;
  }
  std::span<const uint32_t> Allowed() const override {
    static constexpr std::array<uint32_t, 2> kAll{~0u, ~0u};
    return kAll;
  }
  void Accept(int32_t) override {}
  Status error() const override { return InvalidArgument("the grammar costs too much"); }

 private:
  const std::shared_ptr<Shared> shared_;
};

struct Loop {
  Loop() {
    auto owned = std::make_unique<FakeModelRunner>(kLimits);
    runner = owned.get();
    loop = std::make_unique<ModelLoop>(std::move(owned), SchedulerSettings{8, 32, 100},
                                       std::vector<bool>(kVocab, true));
  }
  std::shared_ptr<GenerationStream> Ask(int max_tokens,
                                        std::shared_ptr<OnDemand::Shared> mask = nullptr,
                                        int n = 1) {
    GenerationRequest r;
    r.prompt = {1, 2, 3};
    r.max_tokens = max_tokens;
    r.num_sequences = n;
    r.sampling.temperature = 0;
    if (mask) r.constraint = std::make_shared<OnDemand>(mask);
    auto stream = std::make_shared<GenerationStream>(n);
    AddRequest(loop.get(), std::move(r), stream);
    return stream;
  }
  FakeModelRunner* runner;
  std::unique_ptr<ModelLoop> loop;
};

std::vector<int32_t> Take(GenerationStream* stream) {
  std::vector<int32_t> tokens;
  while (auto event = stream->Next(Clock::time_point())) {
    for (const SampledToken& t : event->tokens) tokens.push_back(t.token);
  }
  return tokens;
}

TEST_CASE("a late mask delays its own sequence only and costs no further steps") {
  Loop plain;
  const auto expected_stream = plain.Ask(20);
  while (plain.loop->HasWork()) plain.loop->Step(false);
  const auto expected = Take(expected_stream.get());

  Loop own;
  auto mask = std::make_shared<OnDemand::Shared>();
  const auto slow = own.Ask(20, mask);
  for (int i = 0; i < 4; ++i) own.loop->Step(false);
  auto tokens = Take(slow.get());
  const auto before = tokens.size();
  CHECK(before > 0);
  mask->state = TokenConstraint::State::kComputing;
  own.loop->Step(false);
  CHECK(own.loop->HasWork());
  const auto free = own.Ask(200);
  const int waits = mask->waits;
  for (int i = 0; i < 10; ++i) CHECK(own.loop->Step(false));
  CHECK_FALSE(own.loop->blocked());
  CHECK(Take(free.get()).size() >= 9);
  CHECK(mask->waits == waits);  // no step waited for it meanwhile
  free->RequestCancel(-1);
  own.loop->Sweep(Clock::now());

  // Without other work there is no forward pass, and the wait ends with the mask.
  const int calls = own.runner->calls();
  for (int i = 0; i < 3; ++i) CHECK(own.loop->Step(false));
  CHECK(own.loop->blocked());
  CHECK(own.runner->calls() == calls);
  CHECK(own.loop->WaitForMask(Clock::now() + std::chrono::milliseconds(2)));
  mask->state = TokenConstraint::State::kReady;
  while (own.loop->HasWork()) {
    CHECK(own.loop->Step(false));
    CHECK_FALSE(own.loop->blocked());
  }
  for (int32_t token : Take(slow.get())) tokens.push_back(token);
  CHECK(tokens == expected);
}

TEST_CASE("a cancelled request ends its sequence while it waits for a mask") {
  Loop own;
  auto mask = std::make_shared<OnDemand::Shared>();
  mask->state = TokenConstraint::State::kComputing;
  const auto leaving = own.Ask(50, mask);
  for (int i = 0; i < 3; ++i) own.loop->Step(false);
  CHECK(own.loop->blocked());
  leaving->RequestCancel(-1);
  own.loop->Sweep(Clock::now());
  CHECK_FALSE(own.loop->HasWork());
  CHECK(own.loop->snapshot().blocks_free == kLimits.num_blocks);
}

// `paused`: the mask fails while the sequence is paused; else when a step asks for it.
void CheckFailure(bool paused) {
  Loop own;
  auto mask = std::make_shared<OnDemand::Shared>();
  const auto failing = own.Ask(50, mask, 2);
  const auto staying = own.Ask(50);
  for (int i = 0; i < 3; ++i) own.loop->Step(false);
  if (paused) {
    mask->state = TokenConstraint::State::kComputing;
    own.loop->Step(false);
  }
  mask->state = TokenConstraint::State::kFailed;
  while (own.loop->HasWork()) CHECK(own.loop->Step(false));
  CHECK(Take(staying.get()).size() == 50);
  int ended = 0;
  while (auto event = failing->Next(Clock::time_point())) {
    if (event->finish == FinishReason::kNone) continue;
    ++ended;
    CHECK(event->finish == FinishReason::kError);
    CHECK(event->status.code() == StatusCode::kInvalidArgument);
    CHECK(event->status.message() == "the grammar costs too much");
  }
  CHECK(ended == 2);
}

TEST_CASE("a failed mask ends its request alone, with its status") {
  CheckFailure(true);
  CheckFailure(false);
}

TEST_CASE("a slow reader pauses its own sequences and loses no token") {
  const RunnerLimits limits{kVocab, 6000, 16, 1000, 32, 8};
  ModelLoop loop(std::make_unique<FakeModelRunner>(limits), {8, 32, 100, 0, false},
                 std::vector<bool>(kVocab, true));
  GenerationRequest r;
  r.prompt = {1};
  r.max_tokens = EventQueue::kMaxUndelivered + 500;
  auto stream = std::make_shared<GenerationStream>(1);
  AddRequest(&loop, std::move(r), stream);
  while (!loop.blocked()) REQUIRE(loop.Step(false));
  CHECK(loop.snapshot().generated_tokens < EventQueue::kMaxUndelivered + 20);
  CHECK_FALSE(loop.WaitForMask(Clock::now()));
  auto got = Take(stream.get()).size();
  while (loop.HasWork()) {
    REQUIRE(loop.Step(false));
    CHECK_FALSE(loop.blocked());
  }
  got += Take(stream.get()).size();
  CHECK(got == EventQueue::kMaxUndelivered + 500);
}

}  // namespace
}  // namespace edgegate
