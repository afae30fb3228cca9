// Turns the logits of a step into tokens and events: samples, verifies draft tokens, checks stop
// conditions, computes log-probabilities, and ends sequences.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "engine/base/status.h"
#include "engine/sampling/sampler.h"
#include "scheduler/drafter.h"
#include "scheduler/request.h"
#include "scheduler/scheduler.h"
#include "scheduler/sequence_group.h"

namespace edgegate {

// Called by the engine loop's thread only. Every sequence belongs to a group.
class Delivery {
 public:
  using Clock = std::chrono::steady_clock;

  // Totals of all requests so far.
  struct Totals {
    uint64_t prompt_tokens = 0;     // prefilled
    uint64_t generated_tokens = 0;  // sampled
    // Of requests that have ended:
    uint64_t cached_tokens = 0;
    uint64_t draft_tokens = 0;
    uint64_t accepted_tokens = 0;
  };

  // `valid_tokens` (size vocab_size) marks the ids that may be sampled. `scheduler` and `drafter`
  // must outlive this.
  Delivery(int vocab_size, std::vector<bool> valid_tokens, Scheduler* scheduler, Drafter* drafter);

  // Delivers a computed step. `logits`: the rows of all shares, in order, [rows][vocab_size]. The
  // step waits for masks that are still being computed, at most `mask_wait` for all sequences
  // together. For a sequence without a mask, the last row is dropped, the other rows are used, and
  // `awaits_mask` is set. Sequences without a constraint are delivered first. A draft token is
  // accepted if it equals the token that is sampled at its position.
  void DeliverStep(const std::vector<ScheduledSequence>& step, const float* logits,
                   Clock::duration mask_wait);

  // Ends a sequence with a final event; its blocks are free at once. No effect if it has ended. The
  // last sequence of a group to end reports the timings.
  void Finish(Sequence* sequence, FinishReason reason, Status status = {});

  // Ends all sequences of the group with kError and `status`.
  void Fail(SequenceGroup* group, const Status& status);

  const Totals& totals() const { return totals_; }

 private:
  void Deliver(const ScheduledSequence& share, const float* logits);
  void DeliverBranch(const ScheduledSequence& share, const float* logits);
  void AcceptDraft(const ScheduledSequence& share, const float* row);
  bool MaskReady(Sequence* sequence);
  bool DeliverToken(Sequence* sequence, const float* row);
  Result<SampledToken> Sample(const Sequence& sequence, const float* row);
  void AddPromptLogprobs(const ScheduledSequence& share, const float* logits);
  void FinishWith(Sequence* sequence, FinishReason reason, TokenEvent event, Status status = {});

  const int64_t vocab_size_;
  const std::vector<bool> valid_tokens_;
  Scheduler* const scheduler_;
  Drafter* const drafter_;
  Sampler sampler_;
  Totals totals_;
  Clock::time_point mask_deadline_;  // of the current step
};

}  // namespace edgegate
