// The policy "fair" through the scheduler: no client starves, clients with a backlog get equal
// shares, preemption is bounded, and a client alone is served first come, first served.

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>

#include "tests/fakes/scheduler_driver.h"

namespace edgegate {
namespace {

// Steps that a client without running sequences waits at most, while there are places for all
// clients. It waits until a sequence of another client has been computed again and has made 8
// tokens of progress.
constexpr int kLongestWait = 1000;

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
    SchedulerDriver driver(Config(16, blocks));
    // Four requests with n = 16, as long as they may be, and long prompts behind them.
    for (int i = 0; i < 64; ++i) driver.Add("a", 8, 400);
    for (int i = 0; i < 20; ++i) driver.Add("a", 1000, 400);
    for (int i = 0; i < 30; ++i) driver.RunStep();
    for (int i = 0; i < 20; ++i) {
      const int before = driver.steps();
      const Sequence* mine = driver.Add("b", 20, 10);
      while (mine->state != Sequence::State::kFinished) {
        driver.RunStep(8);
        REQUIRE(driver.steps() - before < 40);
      }
      CHECK(driver.FirstStep(mine) - before <= 10);
      for (int j = 0; j < 5; ++j) driver.RunStep(8);
    }
  }
}

TEST_CASE("a new client's prompt is computed before the remaining prompts of another client") {
  SchedulerDriver driver(Config(16, 8000));
  for (int i = 0; i < 16; ++i) driver.Add("a", 1000, 10);
  for (int i = 0; i < 3; ++i) driver.RunStep(16);
  const Sequence* mine = driver.Add("b", 40, 5);
  const int before = driver.steps();
  while (mine->generated() == 0) driver.RunStep(16);
  CHECK(driver.steps() - before <= 6);
}

TEST_CASE("clients with equal backlogs get equal numbers of sequences and tokens") {
  for (const int blocks : {8000, 300}) {
    CAPTURE(blocks);
    SchedulerDriver driver(Config(12, blocks));
    std::mt19937 random(1);
    const auto pick = [&](int low, int high) {
      return low + static_cast<int>(random() % static_cast<uint32_t>(high - low + 1));
    };
    const auto fill = [&](const std::string& client, int prompt, int most) {
      driver.Add(client, pick(1, prompt), pick(1, most));
    };
    // Long answers, short ones, long prompts.
    for (int i = 0; i < 100; ++i) fill("a", 10, 300);
    for (int i = 0; i < 50; ++i) driver.RunStep(16);
    for (int i = 0; i < 2000; ++i) fill("b", 10, 30);
    for (int i = 0; i < 2000; ++i) fill("c", 200, 10);
    for (int i = 0; i < 100; ++i) driver.RunStep(16);
    driver.ForgetTokens();
    for (int i = 0; i < 1000; ++i) driver.RunStep(16);
    for (const char* client : {"a", "b", "c"}) {
      CAPTURE(client);
      CHECK(driver.tokens(client) * 6 >= driver.tokens());  // half of a third
    }
  }
}

TEST_CASE("paused sequences do not keep a new client from running") {
  SchedulerDriver driver(Config(16, 8000));
  std::vector<Sequence*> slow;
  for (int i = 0; i < 16; ++i) slow.push_back(driver.Add("a", 3, 100));
  driver.RunStep();
  for (Sequence* s : slow) s->paused = true;
  const Sequence* mine = driver.Add("b", 20, 10);
  const int before = driver.steps();
  while (mine->state != Sequence::State::kFinished) driver.RunStep();
  CHECK(driver.steps() - before <= 12);
  CHECK(driver.Running("a") >= 15);
  for (Sequence* s : slow) s->paused = false;
  while (driver.scheduler().HasWork()) driver.RunStep();
}

TEST_CASE("more clients than sequences that may run take turns") {
  SchedulerDriver driver(Config(2, 8000));
  std::vector<const Sequence*> all;
  for (int i = 0; i < 6; ++i) all.push_back(driver.Add(std::to_string(i), 10, 4000));
  for (int i = 0; i < 1000; ++i) driver.RunStep();
  for (const Sequence* s : all) CHECK(s->generated() >= 200);
}

TEST_CASE("a client alone is served first come, first served, and preempted for room only") {
  SchedulerDriver driver(Config(4, 4000));
  std::vector<const Sequence*> all;
  for (int i = 0; i < 40; ++i) all.push_back(driver.Add("a", 5 + i % 7, 10 + i % 5));
  while (driver.scheduler().HasWork()) driver.RunStep();
  for (size_t i = 1; i < all.size(); ++i) {
    CHECK(driver.FirstStep(all[i - 1]) <= driver.FirstStep(all[i]));
  }
  CHECK(driver.scheduler().num_preemptions() == 0);
}

// The trivial model of the counters: a sum over each client's tokens, from the lowest counter of
// the others at its arrival. It is compared after each step.
class CounterModel {
 public:
  void Add(const Sequence& added) {
    if (counters_.contains(added.client)) return;
    uint64_t lowest = std::numeric_limits<uint64_t>::max();
    for (const auto& [client, counter] : counters_) lowest = std::min(lowest, counter);
    counters_[added.client] = counters_.empty() ? 0 : lowest;
  }
  // Counts what the step computed for the first time.
  void Check(const SchedulerDriver& driver, const SchedulerDriver::Step& step) {
    for (const ScheduledSequence& share : step.shares) {
      const Sequence& s = *share.sequence;
      const bool ended = s.state == Sequence::State::kFinished;
      const int end = ended ? s.length() - 1 : s.num_computed;
      int& seen = seen_[&s];
      // Tokens whose blocks were shared at the first admission are not charged.
      for (int i = std::max({seen, end - share.count, s.num_cached}); i < end; ++i) {
        counters_[s.client] += i < s.prompt_len ? 1 : 2;
      }
      seen = std::max(seen, end);
    }
    std::map<std::string, bool> present;
    for (const auto& s : driver.all()) {
      if (s->account == nullptr) continue;
      present[s->client] = true;
      REQUIRE(s->account->served == counters_[s->client]);
    }
    std::erase_if(counters_, [&](const auto& entry) { return !present[entry.first]; });
  }

 private:
  std::map<std::string, uint64_t> counters_;
  std::map<const Sequence*, int> seen_;
};

// Counts consecutive steps in which a client runs nothing, although there are places for all
// clients and its first waiting sequence needs no more than the client's share of the blocks.
class StarvationClock {
 public:
  void Check(const SchedulerDriver& driver, const SchedulerConfig& config) {
    std::map<std::string, int> next;
    if (driver.scheduler().num_clients() > config.max_num_seqs) {
      steps_.clear();
      return;
    }
    const int share = config.num_blocks / std::max(1, driver.scheduler().num_clients());
    for (const auto& s : driver.all()) {
      const bool first = s->account != nullptr && !s->account->waiting.empty() &&
                         s->account->waiting.front() == s.get();
      if (!first || s->account->running > 0) continue;
      if (BlocksFor(s->length(), config.block_size) > share) continue;
      next[s->client] = steps_[s->client] + 1;
      longest_ = std::max(longest_, next[s->client]);
    }
    steps_ = std::move(next);
  }
  int longest() const { return longest_; }

 private:
  std::map<std::string, int> steps_;
  int longest_ = 0;
};

// Random clients, requests and pools. All requests end; no client starves whose share is enough for
// its request; the counters equal the trivial model's; the cost of preemption is bounded.
TEST_CASE("random clients: nobody starves, and each preemption needs progress of its victim") {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto pick = [&](int low, int high) {
      return low + static_cast<int>(random() % static_cast<uint32_t>(high - low + 1));
    };
    SchedulerConfig config = Config(pick(1, 12), pick(40, 400));
    config.prefix_caching = pick(0, 1) == 1;
    SchedulerDriver driver(config);
    CounterModel counters;
    StarvationClock clock;
    const int clients = pick(1, 6), requests = pick(10, 60), longest = config.num_blocks * 4;
    int added = 0, steps = 0;
    while (added < requests || driver.scheduler().HasWork()) {
      REQUIRE(++steps < 100000);
      if (added < requests && pick(0, 9) == 0) {
        ++added;
        const int prompt = pick(1, pick(0, 9) == 0 ? longest - 1 : std::min(40, longest - 1));
        const int most = pick(1, std::min(pick(0, 3) == 0 ? 400 : 20, longest - prompt));
        const Sequence* leader = nullptr;
        const std::string client = std::to_string(pick(1, clients));
        for (int n = pick(0, 3) == 0 ? pick(2, 4) : 1; n > 0; --n) {
          const Sequence* s = driver.Add(client, prompt, most, leader);
          counters.Add(*s);
          if (leader == nullptr) leader = s;
        }
      }
      const auto& step = driver.RunStep(pick(1, 40));
      counters.Check(driver, step);
      clock.Check(driver, config);
    }
    CHECK(clock.longest() <= kLongestWait);
    for (const auto& s : driver.all()) CHECK(s->generated() == s->max_tokens);
    CHECK(driver.scheduler().blocks().num_free() == config.num_blocks);
    CHECK(driver.scheduler().num_clients() == 0);
    CHECK(driver.scheduler().num_preemptions() * 16 <= static_cast<uint64_t>(driver.tokens()));
  }
}

}  // namespace
}  // namespace edgegate
