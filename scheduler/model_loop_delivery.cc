// How a step's results become tokens: masks, sampling, draft verification, events.

#include <algorithm>

#include "scheduler/model_loop.h"

namespace edgegate {
namespace {

// What a step waits for masks, at least: beside others, and where only one client's constrained
// sequences run.
constexpr Clock::duration kMaskWait = std::chrono::milliseconds(2);
constexpr Clock::duration kMaskWaitAlone = std::chrono::milliseconds(10);

double Seconds(Clock::duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

// The raw logits at position p tell how likely the prompt's token p + 1 was.
void ModelLoop::AddPromptLogprobs(const ScheduledSequence& share, const float* logits) {
  auto& stream = static_cast<Stream&>(*share.sequence);
  for (int i = share.first_logits; i < share.count; ++i, logits += limits_.vocab_size) {
    const int next = stream.num_computed + i + 1;
    if (next >= stream.prompt_len) break;
    stream.prompt_logprobs.push_back(DescribeToken(
        {logits, static_cast<size_t>(limits_.vocab_size)}, valid_tokens_,
        stream.tokens[static_cast<size_t>(next)], stream.group->request.num_prompt_logprobs));
  }
}

// How long this step may wait for masks, all its sequences together. Where nobody else waits for
// the next step, as long as it takes to compute the dropped rows again: waiting then costs at most
// twice what the better choice would have.
Clock::duration ModelLoop::MaskBudget(const std::vector<ScheduledSequence>& step,
                                      bool others_running) const {
  const bool others = others_running || scheduler_.num_clients() > 1 || !images_.empty() ||
                      std::any_of(step.begin(), step.end(), [](const ScheduledSequence& share) {
                        return !static_cast<Stream*>(share.sequence)->constraint;
                      });
  return others ? std::max(kMaskWait, pace_.baseline_itl() / 4)
                : std::max(kMaskWaitAlone, pace_.baseline_itl());
}

// Sequences without a constraint come first: their tokens wait for no mask.
void ModelLoop::DeliverAll(const std::vector<ScheduledSequence>& step, const float* logits,
                           bool others_running) {
  const auto budget = MaskBudget(step, others_running);
  for (const bool constrained : {false, true}) {
    mask_deadline_ = Clock::now() + budget;
    const float* rows = logits;
    for (const ScheduledSequence& share : step) {
      auto* stream = static_cast<Stream*>(share.sequence);
      if ((stream->constraint != nullptr) == constrained) Deliver(share, rows);
      rows += int64_t{share.logits_rows()} * limits_.vocab_size;
    }
  }
}

// Whether the mask of the stream's next token is there, after a wait within the step's budget.
// Where it cannot be computed, the stream's request ends.
bool ModelLoop::MaskReady(Stream* stream) {
  if (!stream->constraint) return true;
  auto state = stream->constraint->Poll();
  if (state == TokenConstraint::State::kComputing && Clock::now() < mask_deadline_) {
    state = stream->constraint->Wait(mask_deadline_);
  }
  if (state == TokenConstraint::State::kFailed) {
    FailGroup(stream->group, stream->constraint->error());
  }
  return state == TokenConstraint::State::kReady;
}

void ModelLoop::Deliver(const ScheduledSequence& share, const float* logits) {
  auto& stream = static_cast<Stream&>(*share.sequence);
  Group& group = *stream.group;
  if (stream.state == Sequence::State::kFinished) return;  // its request failed in this step
  if (stream.wants_prompt_logits && stream.generated() == 0) AddPromptLogprobs(share, logits);
  const bool ready = !share.samples || MaskReady(&stream);
  if (stream.state == Sequence::State::kFinished) return;
  // Without a mask the last row is dropped, and computed again when there is one.
  ScheduledSequence used = share;
  if (!ready) --used.count;
  prompt_tokens_ += static_cast<uint64_t>(
      std::max(0, std::min(used.count, stream.prompt_len - stream.num_computed)));
  scheduler_.Advance(used);
  stream.awaits_mask = !ready;
  if (!ready || !share.samples) return;
  const float* row = logits + int64_t{share.count - share.first_logits - 1} * limits_.vocab_size;
  group.drafted += share.num_draft_tokens;
  int right = 0, judged = share.num_draft_tokens;
  while (DeliverToken(&stream, row + int64_t{right} * limits_.vocab_size)) {
    if (right == share.num_draft_tokens || stream.tokens.back() != stream.draft_tokens[right])
      break;
    if (!MaskReady(&stream)) {
      judged = right;  // the next step computes the token's row again
      break;
    }
    scheduler_.Advance({&stream, 1});
    ++right;
    ++group.accepted;
  }
  drafter_.Learn(stream, judged, right);
}

bool ModelLoop::DeliverToken(Stream* stream, const float* row) {
  Group& group = *stream->group;
  auto sampled = SampleNext(stream, row);
  if (!sampled.ok()) {
    Finish(stream, FinishReason::kError, {}, sampled.status());
    return false;
  }
  group.last_token = Clock::now();
  if (group.first_token == Clock::time_point()) group.first_token = group.last_token;
  const int32_t token = sampled->token;
  stream->tokens.push_back(token);
  if (group.request.sampling.penalizes()) ++stream->counts.output[token];
  ++generated_tokens_;
  TokenEvent event;
  event.index = stream->index;
  event.prompt_logprobs = std::move(stream->prompt_logprobs);
  event.tokens.push_back(*std::move(sampled));
  if (std::binary_search(group.stop_ids.begin(), group.stop_ids.end(), token)) {
    Finish(stream, FinishReason::kStop, std::move(event));
    return false;
  }
  if (stream->generated() >= stream->max_tokens) {
    Finish(stream, FinishReason::kLength, std::move(event));
    return false;
  }
  if (stream->constraint) stream->constraint->Accept(token);
  group.events->Push(std::move(event));
  return true;
}

Result<SampledToken> ModelLoop::SampleNext(Stream* stream, const float* row) {
  std::span<const uint32_t> permitted;
  if (stream->constraint) {
    permitted = stream->constraint->Allowed();
    if (static_cast<int64_t>(permitted.size()) * 32 < limits_.vocab_size) {
      return Internal("a mask of {} words for a vocabulary of {}", permitted.size(),
                      limits_.vocab_size);
    }
  }
  return sampler_.Sample({row, static_cast<size_t>(limits_.vocab_size)}, {valid_tokens_, permitted},
                         stream->group->request.sampling, stream->counts,
                         static_cast<uint64_t>(stream->generated()),
                         static_cast<uint64_t>(stream->index));
}

// Ends a sequence, unless it has ended already; its blocks are free at once.
void ModelLoop::Finish(Stream* stream, FinishReason reason, TokenEvent event, Status status) {
  if (stream->state == Sequence::State::kFinished) return;
  Group& group = *stream->group;
  scheduler_.Remove(stream);
  drafter_.Forget(*stream);
  group.preemptions += stream->preemptions;
  if (!stream->admitted) group.ticket.Release(1);
  stream->admitted = true;
  event.index = stream->index;
  event.finish = reason;
  event.status = std::move(status);
  if (--group.unfinished == 0) {
    const RequestTimings timings = TimingsOf(group);
    cached_tokens_ += static_cast<uint64_t>(timings.cached_tokens);
    draft_tokens_ += static_cast<uint64_t>(group.drafted);
    accepted_tokens_ += static_cast<uint64_t>(group.accepted);
    event.timings = timings;
  }
  group.events->Push(std::move(event));
}

RequestTimings ModelLoop::TimingsOf(const Group& group) const {
  RequestTimings timings{.preemptions = group.preemptions,
                         .cached_tokens = group.sequences[0]->num_cached,
                         .images_encoded = group.encoded,
                         .draft_tokens = group.drafted,
                         .accepted_tokens = group.accepted};
  const auto end = Clock::now();
  const bool scheduled = group.first_scheduled != Clock::time_point();
  const bool started = group.first_token != Clock::time_point();
  timings.encode_s = Seconds(group.encode_end - group.encode_begin);
  timings.queue_s = Seconds((scheduled ? group.first_scheduled : end) - group.submitted);
  timings.queue_s = std::max(0.0, timings.queue_s - timings.encode_s);
  if (scheduled) {
    timings.prefill_s = Seconds((started ? group.first_token : end) - group.first_scheduled);
  }
  if (started) timings.decode_s = Seconds(group.last_token - group.first_token);
  return timings;
}

void ModelLoop::DropFinished() {
  std::erase_if(groups_, [&](const auto& entry) {
    if (entry->unfinished > 0) return false;
    images_.Remove(entry.get());
    return true;
  });
}

}  // namespace edgegate
