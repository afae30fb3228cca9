// Random requests that score branches, beside requests that generate, through a model loop. The
// scores are those that the fake model gives for each branch alone, bit for bit.

#include "scheduler/branch_scores.h"

#include <doctest/doctest.h>

#include <random>

#include "engine/sampling/sampler.h"
#include "scheduler/request_check.h"
#include "tests/fakes/add_request.h"
#include "tests/fakes/fake_model_runner.h"

namespace edgegate {
namespace {

constexpr int kVocab = 50;

RunnerLimits MakeLimits(int block_size, int blocks, int tokens, int rows) {
  return {kVocab, 64, block_size, blocks, tokens, rows, 2, std::make_shared<FakeMedia>()};
}

// The trivial model: each branch computed alone.
std::vector<float> Alone(const GenerationRequest& request) {
  std::vector<int32_t> prompt = request.prompt;
  for (const PromptMedia& media : request.media) {
    for (int row = 0; row < 1 + media.item.shape.width; ++row) {
      prompt[media.position + row] = FakeModelRunner::ImageToken(*media.item.pixels, row);
    }
  }
  std::vector<float> scores;
  const std::vector<bool> valid(kVocab, true);
  for (const ScoreBranch& branch : request.branches) {
    for (const ScoreRow& row : branch.rows) {
      std::vector<int32_t> before = prompt;
      before.insert(before.end(), branch.tokens.begin(), branch.tokens.begin() + row.offset);
      const auto logits = FakeModelRunner::Logits(before, kVocab);
      for (const int32_t token : row.tokens) {
        scores.push_back(DescribeToken(logits, valid, token, 0).logprob);
      }
    }
  }
  return scores;
}

struct Live {
  GenerationRequest request;
  std::shared_ptr<GenerationStream> stream;
  std::optional<TokenEvent> end;
  int tokens = 0;
  bool cancelled = false;
};

class Player {
 public:
  Player(uint32_t seed, const RunnerLimits& limits, const SchedulerSettings& settings)
      : random_(seed), limits_(limits) {
    auto owned = std::make_unique<FakeModelRunner>(limits);
    runner_ = owned.get();
    loop_ =
        std::make_unique<ModelLoop>(std::move(owned), settings, std::vector<bool>(kVocab, true));
  }

  void Play() {
    for (int steps = 0; all_.size() < 10 || loop_->HasWork(); ++steps) {
      REQUIRE(steps < 30000);  // all requests end
      if (all_.size() < 10 && Pick(0, 2) == 0) Add();
      if (!all_.empty() && Pick(0, 40) == 0) {
        Live& victim = *all_[random_() % all_.size()];
        victim.cancelled = true;
        victim.stream->RequestCancel(-1);
      }
      loop_->Sweep(Clock::now());
      CHECK(loop_->Step(Pick(0, 1) == 0));
      REQUIRE(runner_->violation() == "");
      for (auto& live : all_) Collect(live.get());
    }
    CHECK(loop_->snapshot().blocks_free == limits_.num_blocks);
    for (const auto& live : all_) Verify(*live);
  }

  uint64_t cached() const { return loop_->snapshot().cached_tokens; }

 private:
  int Pick(int low, int high) {
    return low + static_cast<int>(random_() % static_cast<uint32_t>(high - low + 1));
  }

  GenerationRequest MakeRequest() {
    const int most = std::min(limits_.max_model_len, limits_.num_blocks * limits_.block_size);
    GenerationRequest r;
    const int prompt = Pick(1, std::max(1, most / 2));
    for (int i = 0; i < prompt; ++i) r.prompt.push_back(i % 3 == 0 ? i % kVocab : Pick(0, 3));
    if (prompt > 4 && Pick(0, 2) == 0) {
      r.media.push_back({1, FakeImage(static_cast<uint8_t>(Pick(0, 4)), 2, 2)});
    }
    r.client = std::to_string(Pick(1, 3));
    r.stop_token_ids = {7};
    if (Pick(0, 2) == 0) {
      r.max_tokens = Pick(1, std::max(1, most - prompt));
      return r;
    }
    const int branches = Pick(1, 50);
    for (int i = 0; i < branches; ++i) {
      ScoreBranch branch;
      const int length = Pick(0, std::min(12, most - prompt));
      for (int t = 0; t < length; ++t) branch.tokens.push_back(Pick(0, 5));
      for (int offset = Pick(0, length); offset <= length; offset += Pick(1, 3)) {
        branch.rows.push_back({offset, {}});
        for (int t = Pick(1, 4); t > 0; --t) {
          branch.rows.back().tokens.push_back(Pick(0, kVocab - 1));
        }
      }
      r.branches.push_back(std::move(branch));
    }
    return r;
  }

  void Add() {
    auto live = std::make_unique<Live>();
    live->request = MakeRequest();
    live->stream = std::make_shared<GenerationStream>(1);
    REQUIRE(CheckRequest(live->request, limits_).ok());
    AddRequest(loop_.get(), live->request, live->stream);
    all_.push_back(std::move(live));
  }

  static void Collect(Live* live) {
    while (auto event = live->stream->Next(Clock::time_point())) {
      live->tokens += static_cast<int>(event->tokens.size());
      if (event->finish == FinishReason::kNone) continue;
      CHECK(!live->end);
      live->end = std::move(event);
    }
  }

  static void Verify(const Live& live) {
    REQUIRE(live.end);
    CHECK(live.end->timings);
    if (live.request.branches.empty()) return;
    CHECK(live.tokens == 0);
    if (live.end->finish == FinishReason::kStop) {
      CHECK(live.end->scores == Alone(live.request));
    } else {
      CHECK(live.cancelled);
      CHECK(live.end->finish == FinishReason::kCancelled);
    }
  }

  std::mt19937 random_;
  const RunnerLimits limits_;
  FakeModelRunner* runner_ = nullptr;
  std::unique_ptr<ModelLoop> loop_;
  std::vector<std::unique_ptr<Live>> all_;
};

TEST_CASE("random branches together give the scores that each gives alone") {
  uint64_t cached = 0;
  for (uint32_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    const std::chrono::milliseconds automatic{0};
    Player cache(seed, MakeLimits(4, 40, 32, 8), {8, 32, 100});
    cache.Play();
    cached += cache.cached();
    Player(seed, MakeLimits(4, 40, 32, 8), {8, 32, 100, 0, false, automatic}).Play();
    Player(seed, MakeLimits(16, 8, 16, 4), {4, 16, 100}).Play();
    Player(seed, MakeLimits(1, 20, 8, 4), {4, 8, 100}).Play();  // block size 1
    Player(seed, MakeLimits(4, 3, 8, 4), {4, 8, 100}).Play();   // a pool of 3 blocks
    Player(seed, MakeLimits(4, 12, 1, 1), {4, 1, 100}).Play();  // a budget of 1
    Player(seed, MakeLimits(2, 10, 8, 8), {1, 8, 100}).Play();  // one sequence at a time
  }
  CHECK(cached > 0);
}

GenerationRequest ManyBranches(int count, int prompt = 32) {
  GenerationRequest r;
  for (int i = 0; i < prompt; ++i) r.prompt.push_back(i);
  for (int i = 0; i < count; ++i) r.branches.push_back({{i % kVocab, 1}, {{2, {3, 4}}}});
  return r;
}

TEST_CASE("the prompt is computed once, and the branches share it") {
  const RunnerLimits limits = MakeLimits(4, 80, 64, 32);
  for (const int prompt : {32, 33, 35, 3}) {  // it ends with a block, or inside one
    CAPTURE(prompt);
    ModelLoop loop(std::make_unique<FakeModelRunner>(limits), {64, 64, 100},
                   std::vector<bool>(kVocab, true));
    auto stream = std::make_shared<GenerationStream>(1);
    AddRequest(&loop, ManyBranches(20, prompt), stream);
    while (loop.HasWork()) loop.Step(false);
    CHECK(stream->Next(Clock::time_point())->finish == FinishReason::kStop);
    CHECK(loop.snapshot().prompt_tokens == static_cast<uint64_t>(prompt + 20 * 2));
  }
}

TEST_CASE("few branches of a request run or wait at once, and another client is not kept waiting") {
  const RunnerLimits limits = MakeLimits(4, 1000, 64, 32);
  ModelLoop loop(std::make_unique<FakeModelRunner>(limits), {64, 64, 100},
                 std::vector<bool>(kVocab, true));
  auto branches = std::make_shared<GenerationStream>(1);
  GenerationRequest many = ManyBranches(1000);
  many.client = "1";
  AddRequest(&loop, std::move(many), branches);
  for (int i = 0; i < 3; ++i) loop.Step(false);
  GenerationRequest short_one;
  short_one.prompt = {1, 2};
  short_one.max_tokens = 1;
  short_one.client = "2";
  auto other = std::make_shared<GenerationStream>(1);
  AddRequest(&loop, std::move(short_one), other);
  for (int i = 0; i < 2; ++i) {
    const auto snapshot = loop.snapshot();
    CHECK(snapshot.running + snapshot.waiting <= BranchScores::kMostAtOnce + 1);
    loop.Step(false);
  }
  CHECK(other->Next(Clock::time_point()));
  CHECK(loop.HasWork());
  while (loop.HasWork()) loop.Step(false);
  CHECK(branches->Next(Clock::time_point())->scores.size() == 2000);
}

TEST_CASE("a failed step fails the request once, and its deadline ends it") {
  const RunnerLimits limits = MakeLimits(4, 40, 64, 32);
  auto owned = std::make_unique<FakeModelRunner>(limits);
  FakeModelRunner* runner = owned.get();
  ModelLoop loop(std::move(owned), {64, 64, 100}, std::vector<bool>(kVocab, true));
  auto failed = std::make_shared<GenerationStream>(1);
  AddRequest(&loop, ManyBranches(100), failed);
  loop.Step(false);
  runner->fail_next = 1;
  CHECK_FALSE(loop.Step(false));
  while (loop.HasWork()) loop.Step(false);
  const auto end = failed->Next(Clock::time_point());
  REQUIRE(end);
  CHECK(end->finish == FinishReason::kError);
  CHECK(end->scores.empty());
  CHECK_FALSE(failed->Next(Clock::time_point()));
  GenerationRequest late = ManyBranches(100);
  late.deadline = Clock::now();
  auto stream = std::make_shared<GenerationStream>(1);
  AddRequest(&loop, std::move(late), stream);
  loop.Sweep(Clock::now());
  CHECK(stream->Next(Clock::time_point())->status.code() == StatusCode::kDeadlineExceeded);
  CHECK_FALSE(loop.HasWork());
}

TEST_CASE("malformed branches are refused") {
  const RunnerLimits limits = MakeLimits(4, 40, 64, 32);
  const auto refused = [&](ScoreBranch branch) {
    GenerationRequest r;
    r.prompt = {1};
    r.branches.push_back(std::move(branch));
    return CheckRequest(r, limits).code() == StatusCode::kInvalidArgument;
  };
  CHECK_FALSE(refused({{}, {{0, {1}}}}));
  CHECK(refused({{}, {}}));
  CHECK(refused({{}, {{1, {1}}}}));
  CHECK(refused({{}, {{0, {}}}}));
  CHECK(refused({{}, {{0, {kVocab}}}}));
  CHECK(refused({{-1}, {{0, {1}}}}));
  CHECK(refused({{1}, {{1, {1}}, {0, {1}}}}));
  CHECK(refused({std::vector<int32_t>(64, 1), {{0, {1}}}}));
}

}  // namespace
}  // namespace edgegate
