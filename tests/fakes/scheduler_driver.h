// Runs a scheduler without a model. The driver counts each step's shares as computed, and samples
// token 0.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "scheduler/scheduler.h"

namespace edgegate {

class SchedulerDriver {
 public:
  // The record of one step.
  struct Step {
    std::vector<ScheduledSequence> shares;
    std::vector<Sequence*> preempted;  // in the order of ids
    std::vector<Sequence*> admitted;   // in the order of the step
  };

  explicit SchedulerDriver(const SchedulerConfig& config) : config_(config), scheduler_(config) {}

  Sequence* Add(const std::string& client, int prompt, int max_tokens,
                const Sequence* leader = nullptr) {
    auto sequence = std::make_unique<Sequence>();
    sequence->id = next_id_++;
    sequence->client = client;
    // Prompts differ, so that none is in the prefix cache.
    sequence->tokens.assign(static_cast<size_t>(prompt), static_cast<int32_t>(sequence->id));
    sequence->prompt_len = prompt;
    sequence->max_tokens = max_tokens;
    sequence->leader = leader;
    REQUIRE(scheduler_.Fits(prompt + max_tokens));
    scheduler_.Add(sequence.get());
    all_.push_back(std::move(sequence));
    return all_.back().get();
  }

  const Step& RunStep(int prompt_tokens = std::numeric_limits<int>::max()) {
    ++steps_;
    const std::vector<Sequence*> before = scheduler_.running();
    std::vector<int> preemptions;
    for (const auto& s : all_) preemptions.push_back(s->preemptions);
    step_.shares = scheduler_.Schedule(prompt_tokens);
    step_.preempted.clear();
    step_.admitted.clear();
    for (size_t i = 0; i < all_.size(); ++i) {
      if (all_[i]->preemptions > preemptions[i]) step_.preempted.push_back(all_[i].get());
    }
    for (const ScheduledSequence& share : step_.shares) {
      const bool ran = std::find(before.begin(), before.end(), share.sequence) != before.end();
      if (!ran) step_.admitted.push_back(share.sequence);
    }
    Compute();
    return step_;
  }

  // Returns the first step that computed the sequence. 0: none so far.
  int FirstStep(const Sequence* s) const {
    const auto found = first_step_.find(s);
    return found == first_step_.end() ? 0 : found->second;
  }
  int Running(const std::string& client) const {
    return static_cast<int>(std::count_if(scheduler_.running().begin(), scheduler_.running().end(),
                                          [&](const Sequence* s) { return s->client == client; }));
  }
  int steps() const { return steps_; }
  // Returns the number of tokens that were computed for the first time, of one client or of all.
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
  // Advances the sequences of the step, samples token 0, and removes sequences that have ended.
  void Compute() {
    REQUIRE((!step_.shares.empty() || !scheduler_.HasWork()));
    REQUIRE(scheduler_.num_running() <= config_.max_num_seqs);
    std::vector<Sequence*> done;
    for (const ScheduledSequence& share : step_.shares) {
      Sequence* s = share.sequence;
      REQUIRE(s->state == Sequence::State::kRunning);
      first_step_.try_emplace(s, steps_);
      const int progress = s->progress;
      scheduler_.Advance(share);
      tokens_[s->client] += s->progress - progress;
      if (!share.samples) continue;
      s->tokens.push_back(0);
      if (s->generated() == s->max_tokens) done.push_back(s);
    }
    for (Sequence* s : done) scheduler_.Remove(s);
  }

  const SchedulerConfig config_;
  Scheduler scheduler_;
  std::vector<std::unique_ptr<Sequence>> all_;
  std::map<const Sequence*, int> first_step_;
  std::map<std::string, int64_t> tokens_;
  Step step_;
  uint64_t next_id_ = 0;
  int steps_ = 0;
};

}  // namespace edgegate
