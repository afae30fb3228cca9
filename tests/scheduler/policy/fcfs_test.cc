// First come, first served: each step of random workloads equals that of a trivial model. The model
// says who is preempted (the youngest), who returns first (the oldest), and what every step
// computes.

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "tests/fakes/scheduler_driver.h"

namespace edgegate {
namespace {

// A step-by-step model, in which sequences are rows of numbers and blocks are a count. It has no
// prefix cache, groups or draft tokens.
class FcfsModel {
 public:
  struct Row {
    int prompt = 0, max_tokens = 0, length = 0, computed = 0, blocks = 0, preemptions = 0;
    bool running = false, done = false;
    int last_step = 0;
  };
  struct Share {
    size_t id;
    int count;
    bool operator==(const Share&) const = default;
  };

  explicit FcfsModel(const SchedulerConfig& config) : config_(config), free_(config.num_blocks) {}

  void Add(int prompt, int max_tokens) { rows_.push_back({prompt, max_tokens, prompt}); }

  std::vector<Share> Step(int prompt_tokens) {
    int preempted;
    do {
      preempted = preemptions_;
      Choose(prompt_tokens);
    } while (step_.empty() && preemptions_ > preempted);
    for (const Share& share : step_) {
      Row& row = rows_[share.id];
      row.computed += share.count;
      if (row.computed == row.length) ++row.length;
      if (row.length - row.prompt == row.max_tokens) End(&row);
    }
    return step_;
  }
  const std::vector<Row>& rows() const { return rows_; }

 private:
  void End(Row* row) {
    free_ += row->blocks;
    row->blocks = row->computed = 0;
    row->running = false;
    row->done = true;
  }
  void Preempt(size_t id) {
    Row& row = rows_[id];
    free_ += row.blocks;
    row.blocks = row.computed = 0;
    row.running = false;
    ++row.preemptions;
    ++preemptions_;
    std::erase_if(step_, [&](const Share& share) { return share.id == id; });
  }
  size_t Youngest() const {
    size_t id = rows_.size() - 1;
    while (!rows_[id].running) --id;
    return id;
  }
  // Adds the row's share. False if it has none.
  bool Schedule(size_t id) {
    Row& row = rows_[id];
    const bool decode = row.computed == row.length - 1;
    int count = std::min(row.length - row.computed, decode ? tokens_ : std::min(tokens_, prompts_));
    if (row.computed + count == row.length && logits_ == 0) --count;
    if (count <= 0) return false;
    const int needed = BlocksFor(row.computed + count, config_.block_size) - row.blocks;
    while (free_ < needed) {
      if (Youngest() == id) return false;
      Preempt(Youngest());
    }
    if (needed > 0) {
      free_ -= needed;
      row.blocks += needed;
    }
    tokens_ -= count;
    if (!decode) prompts_ -= count;
    if (row.computed + count == row.length) --logits_;
    step_.push_back({id, count});
    row.last_step = steps_;
    return true;
  }
  void Choose(int prompt_tokens) {
    ++steps_;
    step_.clear();
    tokens_ = config_.max_num_batched_tokens;
    prompts_ = prompt_tokens;
    logits_ = config_.max_logits_rows;
    for (const bool decodes : {true, false}) {
      for (size_t id = 0; id < rows_.size(); ++id) {
        const Row& row = rows_[id];
        const bool decode = row.computed == row.length - 1;
        if (!row.running || decode != decodes || row.last_step == steps_) continue;
        if (tokens_ == 0) break;
        if (!Schedule(id) && decodes && logits_ > 0) Preempt(id);
      }
    }
    for (size_t id = 0; id < rows_.size() && tokens_ > 0 && prompts_ > 0 && logits_ > 0; ++id) {
      Row& row = rows_[id];
      if (row.running || row.done) continue;
      const auto running =
          std::count_if(rows_.begin(), rows_.end(), [](const Row& other) { return other.running; });
      if (running >= config_.max_num_seqs) break;
      if (free_ < BlocksFor(row.length, config_.block_size)) break;
      row.running = true;
      if (!Schedule(id)) break;
    }
  }

  const SchedulerConfig config_;
  std::vector<Row> rows_;
  std::vector<Share> step_;
  int free_;
  int steps_ = 0, preemptions_ = 0, tokens_ = 0, prompts_ = 0, logits_ = 0;
};

// Plays a random workload of `clients` clients, and returns the number of preemptions.
int Play(uint32_t seed, const std::string& policy, int clients) {
  CAPTURE(seed);
  CAPTURE(policy);
  std::mt19937 random(seed);
  const auto pick = [&](int low, int high) {
    return low + static_cast<int>(random() % static_cast<uint32_t>(high - low + 1));
  };
  SchedulerConfig config{.max_num_seqs = pick(1, 8),
                         .max_num_batched_tokens = pick(1, 24),
                         .max_logits_rows = pick(1, 10),
                         .block_size = pick(1, 4),
                         .num_blocks = pick(8, 40),
                         .prefix_caching = false,
                         .queue_policy = policy};
  SchedulerDriver driver(config);
  FcfsModel model(config);
  const int requests = pick(5, 30), longest = config.num_blocks * config.block_size;
  int added = 0, preemptions = 0;
  for (int steps = 0; added < requests || driver.scheduler().HasWork(); ++steps) {
    REQUIRE(steps < 100000);
    if (added < requests && pick(0, 3) == 0) {
      const int prompt = pick(1, longest - 1), max_tokens = pick(1, longest - prompt);
      driver.Add(std::to_string(pick(1, clients)), prompt, max_tokens);
      model.Add(prompt, max_tokens);
      ++added;
    }
    const int prompt_tokens = pick(1, 16);
    const auto& step = driver.RunStep(prompt_tokens);
    std::vector<FcfsModel::Share> shares;
    for (const ScheduledSequence& share : step.shares) {
      shares.push_back({static_cast<size_t>(share.sequence->id), share.count});
    }
    REQUIRE(shares == model.Step(prompt_tokens));
    for (const auto& s : driver.all()) {
      const FcfsModel::Row& row = model.rows()[static_cast<size_t>(s->id)];
      REQUIRE(s->preemptions == row.preemptions);
      REQUIRE((s->state == Sequence::State::kRunning) == row.running);
    }
    preemptions += static_cast<int>(step.preempted.size());
  }
  return preemptions;
}

TEST_CASE("every step equals the trivial model's, whoever the clients are") {
  int preemptions = 0;
  for (uint32_t seed = 0; seed < 300; ++seed) preemptions += Play(seed, "fcfs", 3);
  CHECK(preemptions > 100);
}

TEST_CASE("a single client of the policy fair is served first come, first served") {
  int preemptions = 0;
  for (uint32_t seed = 0; seed < 300; ++seed) preemptions += Play(seed, "fair", 1);
  CHECK(preemptions > 100);
}

}  // namespace
}  // namespace edgegate
