// How clients share the scheduler: nobody starves, backlogged clients get alike, preemption is
// bounded, and a client alone is served first come, first served.

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>

#include "scheduler/scheduler.h"

namespace edgegate {
namespace {

// A scheduler and a trivial model: each step's shares are computed, tokens are zeros.
class Bench {
 public:
  explicit Bench(const SchedulerConfig& config) : config_(config), scheduler_(config) {}

  Sequence* Add(const std::string& client, int prompt, int max_tokens,
                const Sequence* leader = nullptr) {
    auto sequence = std::make_unique<Sequence>();
    sequence->id = next_id_++;
    sequence->client = client;
    // Prompts differ, so that none is found in the prefix cache.
    sequence->tokens.assign(static_cast<size_t>(prompt), static_cast<int32_t>(sequence->id));
    sequence->prompt_len = prompt;
    sequence->max_tokens = max_tokens;
    sequence->leader = leader;
    REQUIRE(scheduler_.Fits(prompt + max_tokens));
    scheduler_.Add(sequence.get());
    all_.push_back(std::move(sequence));
    return all_.back().get();
  }

  void Step(int prompt_tokens = std::numeric_limits<int>::max()) {
    ++steps_;
    const auto step = scheduler_.Schedule(prompt_tokens);
    REQUIRE((!step.empty() || !scheduler_.HasWork()));
    REQUIRE(scheduler_.num_running() <= config_.max_num_seqs);
    std::vector<Sequence*> done;
    for (const ScheduledSequence& share : step) {
      Sequence* s = share.sequence;
      REQUIRE(s->state == Sequence::State::kRunning);
      first_step_.try_emplace(s, steps_);
      const int fresh = s->progress;
      scheduler_.Advance(share);
      tokens_[s->client] += s->progress - fresh;
      if (!share.samples) continue;
      s->tokens.push_back(0);
      if (s->generated() == s->max_tokens) done.push_back(s);
    }
    for (Sequence* s : done) scheduler_.Remove(s);
  }

  // The step in which the sequence first ran; 0: not yet.
  int FirstStep(const Sequence* s) const {
    const auto found = first_step_.find(s);
    return found == first_step_.end() ? 0 : found->second;
  }
  int Running(const std::string& client) const {
    return static_cast<int>(std::count_if(scheduler_.running().begin(), scheduler_.running().end(),
                                          [&](const Sequence* s) { return s->client == client; }));
  }
  int steps() const { return steps_; }
  // Computed for the first time.
  int64_t tokens(const std::string& client) { return tokens_[client]; }
  int64_t tokens() const {
    int64_t sum = 0;
    for (const auto& [client, count] : tokens_) sum += count;
    return sum;
  }
  void ForgetTokens() { tokens_.clear(); }
  const Scheduler& scheduler() const { return scheduler_; }
  const std::vector<std::unique_ptr<Sequence>>& all() const { return all_; }

 private:
  const SchedulerConfig config_;
  Scheduler scheduler_;
  std::vector<std::unique_ptr<Sequence>> all_;
  std::map<const Sequence*, int> first_step_;
  std::map<std::string, int64_t> tokens_;
  uint64_t next_id_ = 0;
  int steps_ = 0;
};

SchedulerConfig Config(int sequences, int blocks) {
  return {.max_num_seqs = sequences,
          .max_num_batched_tokens = 64,
          .max_logits_rows = 64,
          .block_size = 4,
          .num_blocks = blocks};
}

TEST_CASE("a new client's short request starts within a few steps, whatever another one runs") {
  // Enough blocks, and too few of them.
  for (const int blocks : {8000, 600}) {
    CAPTURE(blocks);
    Bench bench(Config(16, blocks));
    // Four requests with n = 16, as long as they may be, and long prompts behind them.
    for (int i = 0; i < 64; ++i) bench.Add("a", 8, 400);
    for (int i = 0; i < 20; ++i) bench.Add("a", 1000, 400);
    for (int i = 0; i < 30; ++i) bench.Step();
    for (int i = 0; i < 20; ++i) {
      const int before = bench.steps();
      const Sequence* mine = bench.Add("b", 20, 10);
      while (mine->state != Sequence::State::kFinished) {
        bench.Step(8);
        REQUIRE(bench.steps() - before < 40);
      }
      CHECK(bench.FirstStep(mine) - before <= 10);
      for (int j = 0; j < 5; ++j) bench.Step(8);
    }
  }
}

TEST_CASE("a new client's prompt goes before another one's prompts under way") {
  Bench bench(Config(16, 8000));
  for (int i = 0; i < 16; ++i) bench.Add("a", 1000, 10);
  for (int i = 0; i < 3; ++i) bench.Step(16);
  const Sequence* mine = bench.Add("b", 40, 5);
  const int before = bench.steps();
  while (mine->generated() == 0) bench.Step(16);
  CHECK(bench.steps() - before <= 6);
}

TEST_CASE("clients with equal backlogs get equal numbers of sequences and tokens") {
  for (const int blocks : {8000, 300}) {
    CAPTURE(blocks);
    Bench bench(Config(12, blocks));
    std::mt19937 random(1);
    const auto pick = [&](int low, int high) {
      return low + static_cast<int>(random() % static_cast<uint32_t>(high - low + 1));
    };
    const auto fill = [&](const std::string& client, int prompt, int most) {
      bench.Add(client, pick(1, prompt), pick(1, most));
    };
    // Long answers, short ones, long prompts.
    for (int i = 0; i < 100; ++i) fill("a", 10, 300);
    for (int i = 0; i < 50; ++i) bench.Step(16);
    for (int i = 0; i < 2000; ++i) fill("b", 10, 30);
    for (int i = 0; i < 2000; ++i) fill("c", 200, 10);
    for (int i = 0; i < 100; ++i) bench.Step(16);
    bench.ForgetTokens();
    for (int i = 0; i < 1000; ++i) bench.Step(16);
    for (const char* client : {"a", "b", "c"}) {
      CAPTURE(client);
      CHECK(bench.tokens(client) * 6 >= bench.tokens());  // half of a third
    }
  }
}

TEST_CASE("sequences that are paused do not keep a new client out") {
  Bench bench(Config(16, 8000));
  std::vector<Sequence*> slow;
  for (int i = 0; i < 16; ++i) slow.push_back(bench.Add("a", 3, 100));
  bench.Step();
  for (Sequence* s : slow) s->paused = true;
  const Sequence* mine = bench.Add("b", 20, 10);
  const int before = bench.steps();
  while (mine->state != Sequence::State::kFinished) bench.Step();
  CHECK(bench.steps() - before <= 12);
  CHECK(bench.Running("a") >= 15);
  for (Sequence* s : slow) s->paused = false;
  while (bench.scheduler().HasWork()) bench.Step();
}

TEST_CASE("more clients than sequences that may run take turns") {
  Bench bench(Config(2, 8000));
  std::vector<const Sequence*> all;
  for (int i = 0; i < 6; ++i) all.push_back(bench.Add(std::to_string(i), 10, 4000));
  for (int i = 0; i < 1000; ++i) bench.Step();
  for (const Sequence* s : all) CHECK(s->generated() >= 200);
}

TEST_CASE("a client alone is served first come, first served, and preempted for room only") {
  Bench bench(Config(4, 4000));
  std::vector<const Sequence*> all;
  for (int i = 0; i < 40; ++i) all.push_back(bench.Add("a", 5 + i % 7, 10 + i % 5));
  while (bench.scheduler().HasWork()) bench.Step();
  for (size_t i = 1; i < all.size(); ++i) {
    CHECK(bench.FirstStep(all[i - 1]) <= bench.FirstStep(all[i]));
  }
  CHECK(bench.scheduler().num_preemptions() == 0);
}

// Random clients, requests, pools. All requests end, each client's short requests start soon where
// the room that its share gives is enough for them, and preemption costs a bounded part of the
// work.
TEST_CASE("random clients: all requests end, and preemptions are paid for by progress") {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto pick = [&](int low, int high) {
      return low + static_cast<int>(random() % static_cast<uint32_t>(high - low + 1));
    };
    SchedulerConfig config = Config(pick(1, 12), pick(40, 400));
    config.prefix_caching = pick(0, 1) == 1;
    Bench bench(config);
    const int clients = pick(1, 6), requests = pick(10, 60), longest = config.num_blocks * 4;
    int added = 0, steps = 0;
    while (added < requests || bench.scheduler().HasWork()) {
      REQUIRE(++steps < 100000);
      if (added < requests && pick(0, 9) == 0) {
        ++added;
        const int prompt = pick(1, pick(0, 9) == 0 ? longest - 1 : std::min(40, longest - 1));
        const int most = pick(1, std::min(pick(0, 3) == 0 ? 400 : 20, longest - prompt));
        const Sequence* leader = nullptr;
        const std::string client = std::to_string(pick(1, clients));
        for (int n = pick(0, 3) == 0 ? pick(2, 4) : 1; n > 0; --n) {
          const Sequence* s = bench.Add(client, prompt, most, leader);
          if (leader == nullptr) leader = s;
        }
      }
      bench.Step(pick(1, 40));
    }
    for (const auto& s : bench.all()) CHECK(s->generated() == s->max_tokens);
    CHECK(bench.scheduler().blocks().num_free() == config.num_blocks);
    CHECK(bench.scheduler().num_clients() == 0);
    CHECK(bench.scheduler().num_preemptions() * 16 <= static_cast<uint64_t>(bench.tokens()));
  }
}

}  // namespace
}  // namespace edgegate
