#include "scheduler/model_loop.h"

#include <algorithm>

#include "scheduler/batch_builder.h"

namespace edgegate {
namespace {

// Time for encoder slices in a step without streams, between looks for new requests.
constexpr auto kEncodeAlone = std::chrono::milliseconds(50);

SchedulerConfig MakeConfig(const RunnerLimits& limits, const SchedulerSettings& settings) {
  return {.max_num_seqs = settings.max_num_seqs,
          .max_num_batched_tokens =
              std::min(settings.max_num_batched_tokens, limits.max_batched_tokens),
          .max_logits_rows = limits.max_logits_rows,
          .block_size = limits.block_size,
          .num_blocks = limits.num_blocks,
          .prefix_caching = settings.prefix_caching,
          .queue_policy = settings.queue_policy};
}

// Most decodes and draft tokens in one step together; 0: no draft tokens.
int DraftRows(const RunnerLimits& limits, const SchedulerSettings& settings) {
  if (!settings.speculation) return 0;
  return std::min({limits.cheap_rows, settings.max_num_batched_tokens, limits.max_batched_tokens,
                   limits.max_logits_rows});
}

// Gives back the queue places of sequences that are in a step for the first time.
void MarkScheduled(const std::vector<ScheduledSequence>& step, ModelLoop::Clock::time_point now) {
  for (const ScheduledSequence& share : step) {
    SequenceGroup& group = *share.sequence->group;
    if (!share.sequence->scheduled) group.ticket.Release(1);
    share.sequence->scheduled = true;
    if (group.first_scheduled == ModelLoop::Clock::time_point()) group.first_scheduled = now;
  }
}

}  // namespace

ModelLoop::ModelLoop(std::unique_ptr<ModelRunner> runner, const SchedulerSettings& settings,
                     std::vector<bool> valid_tokens, std::unique_ptr<ModelRunner> draft,
                     std::function<Status()> check_weights)
    : runner_(std::move(runner)),
      limits_(runner_->limits()),
      weights_(std::move(check_weights)),
      limiter_(std::make_shared<AdmissionLimiter>(settings.max_waiting)),
      scheduler_(MakeConfig(limits_, settings)),
      drafter_(DraftRows(limits_, settings), std::move(draft)),
      media_(runner_->media_encoder(), settings.image_cache_bytes),
      delivery_(limits_.vocab_size, std::move(valid_tokens), &scheduler_, &drafter_),
      requests_(&scheduler_, &media_, &delivery_),
      pace_(settings.target_itl) {}

void ModelLoop::Add(std::unique_ptr<SequenceGroup> group) {
  requests_.Add(std::move(group));
  if (const Status failed = failure(); !failed.ok()) requests_.FailAll(failed);
}

bool ModelLoop::Step(bool others_running) {
  const auto began = Clock::now();
  const Shares& step = Schedule(others_running);
  blocked_ = step.empty() && media_.empty() && HasWork();
  const bool computed = step.empty() || Forward(step, others_running);
  const auto until = others_running ? began
                     : streams_     ? began + pace_.baseline_itl() + spare_
                                    : Clock::now() + kEncodeAlone;
  return EncodeMedia(until) && computed;
}

// Chooses the step: all decodes with their draft tokens, and as many prompt tokens as the streams
// can spare time for.
const ModelLoop::Shares& ModelLoop::Schedule(bool others_running) {
  requests_.UpdatePaused();
  const auto& decodes = scheduler_.Decodes();
  const int running = static_cast<int>(decodes.size());
  const int prompts = scheduler_.num_runnable() - running;
  streams_ = running > 0 || others_running;
  spare_ = pace_.Spare(running, prompts + scheduler_.num_waiting());
  drafter_.Propose(decodes, media_.empty() && prompts == 0, spare_);
  const auto for_prompts = media_.empty() ? spare_ : spare_ / 2;
  const Shares& step =
      scheduler_.Schedule(streams_ ? pace_.PromptTokens(for_prompts) : pace_.PromptTokensAlone());
  for (const BlockCopy& copy : scheduler_.copies()) runner_->CopyBlock(copy.from, copy.to);
  for (const Sequence* sequence : decodes) {
    const bool preempted = sequence->state != Sequence::State::kRunning;
    if (preempted) drafter_.Forget(*sequence);
  }
  return step;
}

// Computes the step and delivers its tokens. On an error its sequences end. Nothing is delivered
// that was computed from damaged weights.
bool ModelLoop::Forward(const Shares& step, bool others_running) {
  const auto began = Clock::now();
  MarkScheduled(step, began);
  BuildBatch(step, limits_, &batch_);
  const auto output = runner_->Forward(batch_);
  if (!CheckWeights().ok()) return false;
  if (output.ok()) {
    LearnPace(step, Clock::now() - began);
    delivery_.DeliverStep(step, output->logits, MaskWait(step, others_running));
  } else {
    for (const ScheduledSequence& share : step) {
      delivery_.Finish(share.sequence, FinishReason::kError, output.status());
    }
  }
  requests_.DropFinished();
  requests_.AddBranches();
  return output.ok();
}

void ModelLoop::LearnPace(const Shares& step, Clock::duration took) {
  StepPace::Load load;
  for (const ScheduledSequence& share : step) {
    const bool decode = share.sequence->num_computed >= share.sequence->prompt_len;
    (decode ? load.decodes : load.prompt_tokens) += share.count;
    load.draft_tokens += share.num_draft_tokens;
  }
  pace_.Learn(load, took);
}

// Longest time that the step may wait for masks.
ModelLoop::Clock::duration ModelLoop::MaskWait(const Shares& step, bool others_running) const {
  const bool others_wait = others_running || scheduler_.num_clients() > 1 || !media_.empty() ||
                           std::any_of(step.begin(), step.end(), [](const auto& share) {
                             return share.sequence->constraint == nullptr;
                           });
  return pace_.MaskWait(others_wait);
}

// Runs encoder slices as long as they are expected to end before `until`, but at least one.
bool ModelLoop::EncodeMedia(Clock::time_point until) {
  bool good = true;
  while (!media_.empty()) {
    const auto began = Clock::now();
    good = EncodeSlice().ok() && good;
    const auto now = Clock::now();
    pace_.LearnSlice(now - began);
    if (now + pace_.slice_time() >= until) break;
  }
  return good;
}

Status ModelLoop::EncodeSlice() {
  SequenceGroup* next = media_.Next()->group;
  const auto ready = media_.Work();
  EG_RETURN_IF_ERROR(CheckWeights());
  if (!ready.ok()) {
    requests_.Fail(next, ready.status());
    return ready.status();
  }
  if (*ready != nullptr) requests_.Enqueue((*ready)->group);
  return {};
}

// Ends all requests if the weights were damaged since the last check.
Status ModelLoop::CheckWeights() {
  Status status = weights_.Run();
  if (!status.ok()) requests_.FailAll(status);
  return status;
}

EngineSnapshot::Model ModelLoop::snapshot() const {
  int waiting = scheduler_.num_waiting();
  for (const auto* client : media_.clients()) waiting += client->group->unfinished;
  const BlockManager* draft_blocks = drafter_.draft_blocks();
  const Delivery::Totals& totals = delivery_.totals();
  return {.running = scheduler_.num_running(),
          .waiting = waiting,
          .blocks_total = scheduler_.blocks().num_blocks(),
          .blocks_free = scheduler_.blocks().num_free(),
          .draft_blocks_total = draft_blocks ? draft_blocks->num_blocks() : 0,
          .draft_blocks_free = draft_blocks ? draft_blocks->num_free() : 0,
          .preemptions = scheduler_.num_preemptions(),
          .prompt_tokens = totals.prompt_tokens,
          .cached_tokens = totals.cached_tokens,
          .generated_tokens = totals.generated_tokens,
          .draft_tokens = totals.draft_tokens,
          .accepted_tokens = totals.accepted_tokens,
          .images_encoded = media_.encoded(),
          .image_cache_hits = media_.cache_hits(),
          .image_cache_bytes = media_.cache_bytes(),
          .failure = failure().message()};
}

}  // namespace edgegate
