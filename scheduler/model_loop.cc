#include "scheduler/model_loop.h"

#include <algorithm>

namespace edgegate {
namespace {

constexpr int kMaxSequences = 64;                             // GenerationStream has a bit for each
constexpr int kMaxTop = 100;                                  // log-probabilities beside a token's
constexpr auto kEncodeAlone = std::chrono::milliseconds(50);  // between looks at what is new

SchedulerConfig MakeConfig(const RunnerLimits& limits, const SchedulerSettings& settings) {
  return {.max_num_seqs = settings.max_num_seqs,
          .max_num_batched_tokens =
              std::min(settings.max_num_batched_tokens, limits.max_batched_tokens),
          .max_logits_rows = limits.max_logits_rows,
          .block_size = limits.block_size,
          .num_blocks = limits.num_blocks,
          .prefix_caching = settings.prefix_caching};
}

// Decodes and their guesses in one step, at most; 0: no guesses.
int DraftRows(const RunnerLimits& limits, const SchedulerSettings& settings) {
  if (!settings.speculation) return 0;
  return std::min({limits.cheap_rows, settings.max_num_batched_tokens, limits.max_batched_tokens,
                   limits.max_logits_rows});
}

}  // namespace

ModelLoop::ModelLoop(std::unique_ptr<ModelRunner> runner, const SchedulerSettings& limits,
                     std::vector<bool> valid_tokens, std::unique_ptr<ModelRunner> draft,
                     std::function<Status()> check_weights)
    : runner_(std::move(runner)),
      limits_(runner_->limits()),
      valid_tokens_(std::move(valid_tokens)),
      check_weights_(std::move(check_weights)),
      limiter_(std::make_shared<AdmissionLimiter>(limits.max_waiting)),
      scheduler_(MakeConfig(limits_, limits)),
      drafter_(DraftRows(limits_, limits), std::move(draft)),
      images_(runner_.get(), limits.image_cache_bytes),
      pace_(limits.target_itl) {}

Status ModelLoop::Check(const GenerationRequest& request) const {
  if (request.prompt.empty()) return InvalidArgument("the prompt is empty");
  if (request.max_tokens < 1 || request.num_sequences < 1 ||
      request.num_sequences > kMaxSequences) {
    return InvalidArgument("max_tokens must be at least 1, and n 1 to {}", kMaxSequences);
  }
  if (std::max(request.sampling.num_top_logprobs, request.num_prompt_logprobs) > kMaxTop) {
    return InvalidArgument("at most {} alternatives to a token are reported", kMaxTop);
  }
  for (int32_t token : request.prompt) {
    if (token < 0 || token >= limits_.vocab_size) {
      return InvalidArgument("prompt token id {} is out of range: the vocabulary has {}", token,
                             limits_.vocab_size);
    }
  }
  int64_t end = 0;
  for (const PromptImage& image : request.images) {
    const auto pixels = static_cast<size_t>(limits_.image_size) * limits_.image_size * 3;
    if (limits_.image_rows == 0) return InvalidArgument("the model takes no pictures");
    if (image.position < end || !image.pixels || image.pixels->size() != pixels) {
      return Internal("malformed picture at position {}", image.position);
    }
    end = int64_t{image.position} + limits_.image_rows;
  }
  if (end > static_cast<int64_t>(request.prompt.size())) return Internal("a picture has no place");
  const int64_t length = static_cast<int64_t>(request.prompt.size()) + request.max_tokens;
  if (length > limits_.max_model_len || !scheduler_.Fits(static_cast<int>(length))) {
    return InvalidArgument("{} prompt tokens and {} to generate pass the limit of {}",
                           request.prompt.size(), request.max_tokens, limits_.max_model_len);
  }
  return {};
}

std::unique_ptr<SequenceGroup> ModelLoop::Prepare(GenerationRequest request,
                                                  std::shared_ptr<GenerationStream> stream,
                                                  Clock::time_point submitted) const {
  return MakeSequenceGroup(std::move(request), std::move(stream), submitted, limits_);
}

void ModelLoop::Add(std::unique_ptr<SequenceGroup> group) {
  groups_.push_back(std::move(group));
  Group* added = groups_.back().get();
  if (const Status failed = failure(); !failed.ok()) {
    FailGroup(added, failed);
    DropFinished();
  } else if (added->images.empty()) {
    Enqueue(added);
  } else {
    images_.Add(added);
  }
}

// Hands what has not been cancelled yet to the scheduler: the first such sequence leads.
void ModelLoop::Enqueue(Group* group) {
  const Stream* leader = nullptr;
  for (auto& stream : group->sequences) {
    if (stream->state == Sequence::State::kFinished) continue;
    stream->id = next_sequence_id_++;
    stream->leader = leader;
    if (leader == nullptr) leader = stream.get();
    scheduler_.Add(stream.get());
  }
}

void ModelLoop::CancelAll() {
  for (auto& group : groups_) {
    for (auto& stream : group->sequences) Finish(stream.get(), FinishReason::kCancelled, {});
  }
  DropFinished();
}

void ModelLoop::Sweep(Clock::time_point now) {
  for (auto& group : groups_) {
    const bool expired = group->request.deadline && *group->request.deadline <= now;
    for (auto& stream : group->sequences) {
      if (group->events->CancelRequested(stream->index)) {
        Finish(stream.get(), FinishReason::kCancelled, {});
      } else if (expired) {
        Finish(stream.get(), FinishReason::kError, {},
               Status(StatusCode::kDeadlineExceeded, "the request's time limit passed"));
      }
    }
  }
  DropFinished();
}

void ModelLoop::BuildBatch(const std::vector<ScheduledSequence>& step) {
  batch_.Clear();
  for (const ScheduledSequence& share : step) {
    const Sequence& s = *share.sequence;
    const int first = static_cast<int>(batch_.tokens.size());
    batch_.spans.push_back(
        {first, share.count + share.num_draft_tokens, s.num_computed, s.block_table});
    const auto begin = s.tokens.begin() + s.num_computed;
    batch_.tokens.insert(batch_.tokens.end(), begin, begin + share.count);
    batch_.tokens.insert(batch_.tokens.end(), s.draft_tokens.begin(),
                         s.draft_tokens.begin() + share.num_draft_tokens);
    for (int i = 0; i < share.logits_rows(); ++i) {
      batch_.logits_rows.push_back(first + share.first_logits + i);
    }
    AddImageRows(share, first);
  }
}

// What of the request's pictures lies within the share, whose first token is batch token `first`.
void ModelLoop::AddImageRows(const ScheduledSequence& share, int first) {
  const Group& group = *static_cast<Stream*>(share.sequence)->group;
  const int begin = share.sequence->num_computed, end = begin + share.count;
  for (size_t i = 0; i < group.images.size(); ++i) {
    const int position = group.images[i].position;
    const int from = std::max(begin, position);
    const int count = std::min(end, position + limits_.image_rows) - from;
    if (count <= 0) continue;
    batch_.images.push_back(
        {first + from - begin, count,
         group.rows[i]->data() + int64_t{from - position} * limits_.hidden_size});
  }
}

// Polls the masks that steps were left without, and looks who reads too slowly.
void ModelLoop::UpdatePaused() {
  std::vector<Stream*> failed;
  for (Sequence* sequence : scheduler_.running()) {
    auto& stream = static_cast<Stream&>(*sequence);
    if (stream.awaits_mask) {
      const auto state = stream.constraint->Poll();
      stream.awaits_mask = state == TokenConstraint::State::kComputing;
      if (state == TokenConstraint::State::kFailed) failed.push_back(&stream);
    }
    stream.paused = stream.awaits_mask || stream.group->events->Backlogged();
  }
  for (Stream* stream : failed) FailGroup(stream->group, stream->constraint->error());
  if (!failed.empty()) DropFinished();
}

bool ModelLoop::WaitForMask(Clock::time_point deadline) {
  for (Sequence* sequence : scheduler_.running()) {
    auto& stream = static_cast<Stream&>(*sequence);
    if (!stream.awaits_mask) continue;
    stream.constraint->Wait(deadline);
    return true;
  }
  return false;
}

bool ModelLoop::Step(bool others_running) {
  const auto began = Clock::now();
  UpdatePaused();
  const auto& decodes = scheduler_.Decodes();
  const int running = static_cast<int>(decodes.size());
  const int prompts = scheduler_.num_runnable() - running;
  const auto spare = pace_.Spare(running, prompts + scheduler_.num_waiting());
  drafter_.Propose(decodes, images_.empty() && prompts == 0, spare);
  const bool streams = !decodes.empty() || others_running;
  const auto for_prompts = images_.empty() ? spare : spare / 2;
  const auto& step =
      scheduler_.Schedule(streams ? pace_.PromptTokens(for_prompts) : pace_.PromptTokensAlone());
  for (const Sequence* sequence : decodes) {
    if (sequence->state != Sequence::State::kRunning) drafter_.Forget(*sequence);  // it waits
  }
  blocked_ = step.empty() && images_.empty() && HasWork();
  const bool ran = step.empty() || RunBatch(step, others_running);
  if (others_running) return EncodeImages(began) && ran;
  return EncodeImages(streams ? began + pace_.baseline_itl() + spare
                              : Clock::now() + kEncodeAlone) &&
         ran;
}

// Units of images, as many as end before `until`, but one at least.
bool ModelLoop::EncodeImages(Clock::time_point until) {
  bool good = true;
  while (!images_.empty()) {
    const auto began = Clock::now();
    good = WorkOnImages().ok() && good;
    const auto now = Clock::now();
    pace_.LearnSlice(now - began);
    if (now + pace_.slice_time() >= until) break;
  }
  return good;
}

Status ModelLoop::WorkOnImages() {
  auto* next = static_cast<Group*>(images_.Next());
  const auto ready = images_.Work();
  EG_RETURN_IF_ERROR(CheckWeights());
  if (!ready.ok()) {
    FailGroup(next, ready.status());
    DropFinished();
    return ready.status();
  }
  if (*ready != nullptr) Enqueue(static_cast<Group*>(*ready));
  return {};
}

void ModelLoop::FailGroup(Group* group, const Status& status) {
  for (auto& stream : group->sequences) Finish(stream.get(), FinishReason::kError, {}, status);
}

Status ModelLoop::failure() const {
  MutexLock lock(failure_mutex_);
  return failure_;
}

// Nothing that was computed since the weights were last good may be delivered, or stay in a cache.
Status ModelLoop::CheckWeights() {
  if (!check_weights_) return {};
  Status status = check_weights_();
  if (!status.ok()) FailModel(status);
  return status;
}

void ModelLoop::FailModel(const Status& status) {
  {
    MutexLock lock(failure_mutex_);
    failure_ = Unavailable("{}", status.message());
  }
  for (auto& group : groups_) FailGroup(group.get(), status);
  DropFinished();
}

void ModelLoop::MarkScheduled(const std::vector<ScheduledSequence>& step, Clock::time_point now) {
  for (const ScheduledSequence& share : step) {
    auto& stream = static_cast<Stream&>(*share.sequence);
    Group& group = *stream.group;
    if (!stream.admitted) group.ticket.Release(1);
    stream.admitted = true;
    if (group.first_scheduled == Clock::time_point()) group.first_scheduled = now;
  }
}

void ModelLoop::LearnPace(const std::vector<ScheduledSequence>& step, Clock::duration took) {
  StepPace::Load load;
  for (const ScheduledSequence& share : step) {
    const bool decode = share.sequence->num_computed >= share.sequence->prompt_len;
    (decode ? load.decodes : load.prompt_tokens) += share.count;
    load.draft_tokens += share.num_draft_tokens;
  }
  pace_.Learn(load, took);
}

bool ModelLoop::RunBatch(const std::vector<ScheduledSequence>& step, bool others_running) {
  const auto now = Clock::now();
  MarkScheduled(step, now);
  BuildBatch(step);
  const auto output = runner_->Forward(batch_);
  if (!CheckWeights().ok()) return false;
  if (!output.ok()) {
    for (const ScheduledSequence& share : step) {
      Finish(static_cast<Stream*>(share.sequence), FinishReason::kError, {}, output.status());
    }
    DropFinished();
    return false;
  }
  LearnPace(step, Clock::now() - now);
  DeliverAll(step, output->logits, others_running);
  DropFinished();
  return true;
}

EngineSnapshot::Model ModelLoop::snapshot() const {
  int waiting = scheduler_.num_waiting();
  for (const auto* client : images_.clients()) {
    waiting += static_cast<const Group*>(client)->unfinished;
  }
  const BlockManager* draft_blocks = drafter_.draft_blocks();
  return {.running = scheduler_.num_running(),
          .waiting = waiting,
          .blocks_total = scheduler_.blocks().num_blocks(),
          .blocks_free = scheduler_.blocks().num_free(),
          .draft_blocks_total = draft_blocks ? draft_blocks->num_blocks() : 0,
          .draft_blocks_free = draft_blocks ? draft_blocks->num_free() : 0,
          .preemptions = scheduler_.num_preemptions(),
          .prompt_tokens = prompt_tokens_,
          .cached_tokens = cached_tokens_,
          .generated_tokens = generated_tokens_,
          .draft_tokens = draft_tokens_,
          .accepted_tokens = accepted_tokens_,
          .images_encoded = images_.encoded(),
          .image_cache_hits = images_.cache_hits(),
          .image_cache_bytes = images_.cache_bytes(),
          .failure = failure().message()};
}

}  // namespace edgegate
