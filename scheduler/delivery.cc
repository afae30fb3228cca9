#include "scheduler/delivery.h"

#include <algorithm>
#include <span>

namespace edgegate {
namespace {

using Clock = Delivery::Clock;

double Seconds(Clock::duration d) { return std::chrono::duration<double>(d).count(); }

RequestTimings TimingsOf(const SequenceGroup& group) {
  RequestTimings timings{.preemptions = group.preemptions,
                         .cached_tokens = group.sequences[0]->num_cached,
                         .images_encoded = group.media.encoded,
                         .draft_tokens = group.draft_tokens,
                         .accepted_tokens = group.accepted_tokens};
  const auto end = Clock::now();
  const bool scheduled = group.first_scheduled != Clock::time_point();
  const bool started = group.first_token != Clock::time_point();
  timings.encode_s = Seconds(group.media.encode_end - group.media.encode_begin);
  timings.queue_s = Seconds((scheduled ? group.first_scheduled : end) - group.submitted);
  timings.queue_s = std::max(0.0, timings.queue_s - timings.encode_s);
  if (scheduled) {
    timings.prefill_s = Seconds((started ? group.first_token : end) - group.first_scheduled);
  }
  if (started) timings.decode_s = Seconds(group.last_token - group.first_token);
  return timings;
}

}  // namespace

Delivery::Delivery(int vocab_size, std::vector<bool> valid_tokens, Scheduler* scheduler,
                   Drafter* drafter)
    : vocab_size_(vocab_size),
      valid_tokens_(std::move(valid_tokens)),
      scheduler_(scheduler),
      drafter_(drafter) {}

void Delivery::DeliverStep(const std::vector<ScheduledSequence>& step, const float* logits,
                           Clock::duration mask_wait) {
  for (const bool constrained : {false, true}) {
    mask_deadline_ = Clock::now() + mask_wait;
    const float* rows = logits;
    for (const ScheduledSequence& share : step) {
      if ((share.sequence->constraint != nullptr) == constrained) Deliver(share, rows);
      rows += share.logits_rows() * vocab_size_;
    }
  }
}

// The raw logits at position p give the probability of the prompt's token p + 1.
void Delivery::AddPromptLogprobs(const ScheduledSequence& share, const float* logits) {
  Sequence& s = *share.sequence;
  for (int i = share.first_logits; i < share.count; ++i, logits += vocab_size_) {
    const int next = s.num_computed + i + 1;
    if (next >= s.prompt_len) break;
    s.prompt_logprobs.push_back(DescribeToken({logits, static_cast<size_t>(vocab_size_)},
                                              valid_tokens_, s.tokens[static_cast<size_t>(next)],
                                              s.group->request.num_prompt_logprobs));
  }
}

// True if the mask of the sequence's next token is there, after a wait until mask_deadline_. Fails
// the request if the mask cannot be computed.
bool Delivery::MaskReady(Sequence* sequence) {
  if (!sequence->constraint) return true;
  auto state = sequence->constraint->Poll();
  if (state == TokenConstraint::State::kComputing && Clock::now() < mask_deadline_) {
    state = sequence->constraint->Wait(mask_deadline_);
  }
  if (state == TokenConstraint::State::kFailed) {
    Fail(sequence->group, sequence->constraint->error());
  }
  return state == TokenConstraint::State::kReady;
}

void Delivery::Deliver(const ScheduledSequence& share, const float* logits) {
  Sequence& s = *share.sequence;
  if (s.state == Sequence::State::kFinished) return;  // its request failed in this step
  if (s.branch != nullptr) return DeliverBranch(share, logits);
  if (s.wants_prompt_logits && s.generated() == 0) AddPromptLogprobs(share, logits);
  const bool ready = !share.samples || MaskReady(&s);
  if (s.state == Sequence::State::kFinished) return;
  // Without a mask, the last row is dropped. A later step computes it again.
  ScheduledSequence used = share;
  if (!ready) --used.count;
  const int prompt_tokens = std::min(used.count, s.prompt_len - s.num_computed);
  totals_.prompt_tokens += static_cast<uint64_t>(std::max(0, prompt_tokens));
  scheduler_->Advance(used);
  s.awaits_mask = !ready;
  if (ready && share.samples) {
    AcceptDraft(share, logits + (share.count - share.first_logits - 1) * vocab_size_);
  }
}

// Scores a part of a branch. The branch ends with its last token.
void Delivery::DeliverBranch(const ScheduledSequence& share, const float* logits) {
  Sequence& s = *share.sequence;
  SequenceGroup& group = *s.group;
  const Status status = group.scores->AddRows(share, logits, vocab_size_);
  totals_.prompt_tokens += static_cast<uint64_t>(share.count);
  scheduler_->Advance(share);
  if (!status.ok()) return Finish(&s, FinishReason::kError, status);
  if (!share.samples) return;
  group.last_token = Clock::now();
  group.first_token = group.last_token;
  Finish(&s, FinishReason::kStop);
}

// Samples a token from `row`, and one more from each following row as long as the draft token
// before it is accepted.
void Delivery::AcceptDraft(const ScheduledSequence& share, const float* row) {
  Sequence& s = *share.sequence;
  SequenceGroup& group = *s.group;
  group.draft_tokens += share.num_draft_tokens;
  int accepted = 0, checked = share.num_draft_tokens;
  while (DeliverToken(&s, row + accepted * vocab_size_)) {
    if (accepted == share.num_draft_tokens || s.tokens.back() != s.draft_tokens[accepted]) break;
    if (!MaskReady(&s)) {
      checked = accepted;  // the next step computes the token's row again
      break;
    }
    scheduler_->Advance({&s, 1});
    ++accepted;
    ++group.accepted_tokens;
  }
  drafter_->Learn(s, checked, accepted);
}

// Delivers the token that is sampled from the row. False if the sequence has ended.
bool Delivery::DeliverToken(Sequence* sequence, const float* row) {
  SequenceGroup& group = *sequence->group;
  auto sampled = Sample(*sequence, row);
  if (!sampled.ok()) {
    Finish(sequence, FinishReason::kError, sampled.status());
    return false;
  }
  group.last_token = Clock::now();
  if (group.first_token == Clock::time_point()) group.first_token = group.last_token;
  const int32_t token = sampled->token;
  sequence->tokens.push_back(token);
  if (group.request.sampling.penalizes()) ++sequence->counts.output[token];
  ++totals_.generated_tokens;
  TokenEvent event;
  event.index = sequence->index;
  event.prompt_logprobs = std::move(sequence->prompt_logprobs);
  event.tokens.push_back(*std::move(sampled));
  if (std::binary_search(group.stop_ids.begin(), group.stop_ids.end(), token)) {
    FinishWith(sequence, FinishReason::kStop, std::move(event));
    return false;
  }
  if (sequence->generated() >= sequence->max_tokens) {
    FinishWith(sequence, FinishReason::kLength, std::move(event));
    return false;
  }
  if (sequence->constraint) sequence->constraint->Accept(token);
  group.events->Push(std::move(event));
  return true;
}

Result<SampledToken> Delivery::Sample(const Sequence& sequence, const float* row) {
  std::span<const uint32_t> permitted;
  if (sequence.constraint) {
    permitted = sequence.constraint->Allowed();
    if (static_cast<int64_t>(permitted.size()) * 32 < vocab_size_) {
      return Internal("a mask of {} words for a vocabulary of {}", permitted.size(), vocab_size_);
    }
  }
  const SequenceGroup& group = *sequence.group;
  std::span<const int32_t> forbidden;
  if (sequence.generated() < group.request.min_tokens) forbidden = group.stop_ids;
  return sampler_.Sample({row, static_cast<size_t>(vocab_size_)},
                         {valid_tokens_, permitted, forbidden}, group.request.sampling,
                         sequence.counts, static_cast<uint64_t>(sequence.generated()),
                         static_cast<uint64_t>(sequence.index));
}

void Delivery::Finish(Sequence* sequence, FinishReason reason, Status status) {
  FinishWith(sequence, reason, {}, std::move(status));
}

void Delivery::Fail(SequenceGroup* group, const Status& status) {
  for (auto& sequence : group->sequences) Finish(sequence.get(), FinishReason::kError, status);
}

// Makes `event` the sequence's final one.
void Delivery::FinishWith(Sequence* sequence, FinishReason reason, TokenEvent event,
                          Status status) {
  if (sequence->state == Sequence::State::kFinished) return;
  SequenceGroup& group = *sequence->group;
  scheduler_->Remove(sequence);
  drafter_->Forget(*sequence);
  group.preemptions += sequence->preemptions;
  if (!sequence->scheduled) group.ticket.Release(1);
  sequence->scheduled = true;
  event.index = sequence->index;
  event.finish = reason;
  event.status = std::move(status);
  if (group.scores) {
    group.unfinished -= group.scores->End(&event);
    if (group.unfinished > 1) {
      --group.unfinished;
      return;
    }
    group.scores->MoveResult(&event);
  }
  if (--group.unfinished == 0) {
    const RequestTimings timings = TimingsOf(group);
    totals_.cached_tokens += static_cast<uint64_t>(timings.cached_tokens);
    totals_.draft_tokens += static_cast<uint64_t>(group.draft_tokens);
    totals_.accepted_tokens += static_cast<uint64_t>(group.accepted_tokens);
    event.timings = timings;
  }
  group.events->Push(std::move(event));
}

}  // namespace edgegate
