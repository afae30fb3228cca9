// Properties of every registered queue policy. A new policy is covered without a change here.

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "tests/fakes/scheduler_driver.h"

namespace edgegate {
namespace {

TEST_CASE("policies are found by name, and an unknown name lists them") {
  const auto names = QueuePolicyNames();
  CHECK(std::find(names.begin(), names.end(), "fair") != names.end());
  CHECK(std::find(names.begin(), names.end(), "fcfs") != names.end());
  CHECK(std::find(names.begin(), names.end(), SchedulerConfig{}.queue_policy) != names.end());
  for (const std::string& name : names) {
    CHECK(MakeQueuePolicy(name) != nullptr);
    CHECK(CheckQueuePolicy(name).ok());
  }
  CHECK(MakeQueuePolicy("none") == nullptr);
  const Status unknown = CheckQueuePolicy("none");
  CHECK(unknown.code() == StatusCode::kInvalidArgument);
  CHECK(unknown.message().starts_with("engine.queue_policy is \"none\": must be one of "));
  for (const std::string& name : names) CHECK(unknown.message().find(name) != std::string::npos);
}

// All requests of random clients end, each client's requests start in order of arrival, the oldest
// preempted sequence of a client returns first, and all blocks come back.
TEST_CASE("random clients under every policy") {
  for (const std::string& name : QueuePolicyNames()) {
    for (uint32_t seed = 0; seed < 100; ++seed) {
      CAPTURE(name);
      CAPTURE(seed);
      std::mt19937 random(seed);
      const auto pick = [&](int low, int high) {
        return low + static_cast<int>(random() % static_cast<uint32_t>(high - low + 1));
      };
      const SchedulerConfig config{.max_num_seqs = pick(1, 8),
                                   .max_num_batched_tokens = pick(8, 32),
                                   .max_logits_rows = 8,
                                   .block_size = pick(1, 4),
                                   .num_blocks = pick(10, 80),
                                   .prefix_caching = pick(0, 1) == 1,
                                   .queue_policy = name};
      SchedulerDriver driver(config);
      const int longest = config.num_blocks * config.block_size;
      int added = 0, steps = 0;
      while (added < 20 || driver.scheduler().HasWork()) {
        REQUIRE(++steps < 100000);
        if (added < 20 && pick(0, 4) == 0) {
          const int prompt = pick(1, longest - 1);
          driver.Add(std::to_string(pick(1, 4)), prompt, pick(1, longest - prompt));
          ++added;
        }
        const auto& step = driver.RunStep(pick(1, 20));
        for (const Sequence* admitted : step.admitted) {
          for (const auto& other : driver.all()) {
            const bool older = other->client == admitted->client && other->id < admitted->id;
            if (older) CHECK(other->state != Sequence::State::kWaiting);
          }
        }
      }
      for (const auto& s : driver.all()) CHECK(s->generated() == s->max_tokens);
      CHECK(driver.scheduler().blocks().num_free() == config.num_blocks);
      CHECK(driver.scheduler().num_clients() == 0);
    }
  }
}

}  // namespace
}  // namespace edgegate
