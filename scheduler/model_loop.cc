#include "scheduler/model_loop.h"

#include <algorithm>

namespace edgegate {
namespace {

constexpr int kMaxSequences = 64;                             // GenerationStream has a bit for each
constexpr auto kEncodeAlone = std::chrono::milliseconds(50);  // between looks at what is new

SchedulerConfig MakeConfig(const RunnerLimits& limits, const SchedulerLimits& settings) {
  return {.max_num_seqs = settings.max_num_seqs,
          .max_num_batched_tokens =
              std::min(settings.max_num_batched_tokens, limits.max_batched_tokens),
          .max_logits_rows = limits.max_logits_rows,
          .block_size = limits.block_size,
          .num_blocks = limits.num_blocks,
          .prefix_caching = settings.prefix_caching};
}

// Decodes and their guesses in one step, at most; 0: no guesses.
int GuessRows(const RunnerLimits& limits, const SchedulerLimits& settings) {
  if (!settings.speculation) return 0;
  return std::min({limits.cheap_rows, settings.max_num_batched_tokens, limits.max_batched_tokens,
                   limits.max_logits_rows});
}

double Seconds(Clock::duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

ModelLoop::ModelLoop(std::unique_ptr<ModelRunner> runner, const SchedulerLimits& limits,
                     std::vector<bool> valid_tokens, std::unique_ptr<ModelRunner> draft)
    : runner_(std::move(runner)),
      limits_(runner_->limits()),
      valid_tokens_(std::move(valid_tokens)),
      scheduler_(MakeConfig(limits_, limits)),
      drafter_(GuessRows(limits_, limits), std::move(draft)),
      images_(runner_.get(), limits.image_cache_bytes),
      pace_(limits.target_itl) {}

Status ModelLoop::Check(const GenerationRequest& request) const {
  if (request.prompt.empty()) return InvalidArgument("the prompt is empty");
  if (request.max_tokens < 1 || request.num_sequences < 1 ||
      request.num_sequences > kMaxSequences) {
    return InvalidArgument("max_tokens must be at least 1, and n 1 to {}", kMaxSequences);
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

void ModelLoop::Add(GenerationRequest request, std::shared_ptr<GenerationStream> stream,
                    Clock::time_point submitted) {
  auto group = std::make_unique<Group>();
  group->request = std::move(request);
  group->events = std::move(stream);
  group->submitted = submitted;
  group->images = std::move(group->request.images);
  const GenerationRequest& r = group->request;
  for (int i = 0; i < r.num_sequences; ++i) {
    auto sequence = std::make_unique<Stream>();
    // Room for all that may come, so that decoding moves nothing.
    const int most = static_cast<int>(r.prompt.size()) + r.max_tokens;
    sequence->tokens.reserve(static_cast<size_t>(most));
    sequence->block_table.reserve(static_cast<size_t>(BlocksFor(most, limits_.block_size)));
    sequence->tokens = r.prompt;
    sequence->tenant = r.tenant;
    sequence->prompt_len = static_cast<int>(r.prompt.size());
    sequence->max_tokens = r.max_tokens;
    sequence->wants_prompt_logits = i == 0 && r.num_prompt_logprobs >= 0;
    sequence->group = group.get();
    for (const PromptImage& image : group->images) {
      sequence->pictures.push_back({image.position, limits_.image_rows, image.key});
    }
    sequence->index = i;
    sequence->sampling = r.sampling;
    sequence->sampling.seed += static_cast<uint64_t>(i);
    if (r.constraint) sequence->constraint = r.constraint->Clone();
    if (r.sampling.repetition_penalty != 1.0f) {
      for (int32_t token : r.prompt) ++sequence->counts.prompt[token];
    }
    group->streams.push_back(std::move(sequence));
  }
  group->unfinished = r.num_sequences;
  groups_.push_back(std::move(group));
  if (groups_.back()->images.empty()) {
    Enqueue(groups_.back().get());
  } else {
    images_.Add(groups_.back().get());
  }
}

// Hands what has not been cancelled yet to the scheduler: the first such sequence leads.
void ModelLoop::Enqueue(Group* group) {
  const Stream* leader = nullptr;
  for (auto& stream : group->streams) {
    if (stream->state == Sequence::State::kFinished) continue;
    stream->id = next_sequence_id_++;
    stream->leader = leader;
    if (leader == nullptr) leader = stream.get();
    scheduler_.Add(stream.get());
  }
}

void ModelLoop::CancelAll() {
  for (auto& group : groups_) {
    for (auto& stream : group->streams) Finish(stream.get(), FinishReason::kCancelled, {});
  }
  DropFinished();
}

void ModelLoop::Sweep(Clock::time_point now) {
  for (auto& group : groups_) {
    const bool expired = group->request.deadline && *group->request.deadline <= now;
    for (auto& stream : group->streams) {
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
    batch_.spans.push_back({first, share.count + share.guesses, s.num_computed, s.block_table});
    const auto begin = s.tokens.begin() + s.num_computed;
    batch_.tokens.insert(batch_.tokens.end(), begin, begin + share.count);
    batch_.tokens.insert(batch_.tokens.end(), s.guesses.begin(), s.guesses.begin() + share.guesses);
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

bool ModelLoop::Step(bool others_running) {
  const auto began = Clock::now();
  const auto& decodes = scheduler_.Decodes();
  const int running = static_cast<int>(decodes.size());
  const auto spare =
      pace_.Spare(running, scheduler_.num_running() + scheduler_.num_waiting() - running);
  const bool alone = images_.empty() && scheduler_.num_running() == running;
  drafter_.Guess(decodes, alone, spare);
  const bool streams = !decodes.empty() || others_running;
  const auto for_prompts = images_.empty() ? spare : spare / 2;
  const auto& step =
      streams ? scheduler_.Schedule(pace_.PromptTokens(for_prompts)) : scheduler_.Schedule();
  for (const Sequence* sequence : decodes) {
    if (sequence->state != Sequence::State::kRunning) drafter_.Forget(*sequence);  // it waits
  }
  const bool ran = step.empty() || RunBatch(step);
  if (others_running) return EncodeImages(began) && ran;
  return EncodeImages(streams ? began + pace_.usual() + spare : Clock::now() + kEncodeAlone) && ran;
}

// Units of pictures, as many as end before `until`, but one at least.
bool ModelLoop::EncodeImages(Clock::time_point until) {
  bool good = true;
  while (!images_.empty()) {
    const auto began = Clock::now();
    auto* front = static_cast<Group*>(images_.clients().front());
    const auto ready = images_.Work();
    if (!ready.ok()) {
      FailGroup(front, ready.status());
      DropFinished();
      good = false;
    } else if (*ready != nullptr) {
      Enqueue(static_cast<Group*>(*ready));
    }
    const auto now = Clock::now();
    pace_.LearnUnit(now - began);
    if (now + pace_.unit() >= until) break;
  }
  return good;
}

void ModelLoop::FailGroup(Group* group, const Status& status) {
  for (auto& stream : group->streams) Finish(stream.get(), FinishReason::kError, {}, status);
}

bool ModelLoop::RunBatch(const std::vector<ScheduledSequence>& step) {
  const auto now = Clock::now();
  for (const ScheduledSequence& share : step) {
    Group& group = *static_cast<Stream*>(share.sequence)->group;
    if (group.first_scheduled == Clock::time_point()) group.first_scheduled = now;
  }
  BuildBatch(step);
  const auto output = runner_->Forward(batch_);
  if (!output.ok()) {
    for (const ScheduledSequence& share : step) {
      Finish(static_cast<Stream*>(share.sequence), FinishReason::kError, {}, output.status());
    }
    DropFinished();
    return false;
  }
  StepPace::Load load;
  for (const ScheduledSequence& share : step) {
    const bool decode = share.sequence->num_computed >= share.sequence->prompt_len;
    (decode ? load.decodes : load.prompt_tokens) += share.count;
    load.guesses += share.guesses;
  }
  pace_.Learn(load, Clock::now() - now);
  const float* logits = output->logits;
  for (const ScheduledSequence& share : step) {
    Deliver(share, logits);
    logits += int64_t{share.logits_rows()} * limits_.vocab_size;
  }
  DropFinished();
  return true;
}

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

void ModelLoop::Deliver(const ScheduledSequence& share, const float* logits) {
  auto& stream = static_cast<Stream&>(*share.sequence);
  Group& group = *stream.group;
  if (stream.wants_prompt_logits && stream.generated() == 0) AddPromptLogprobs(share, logits);
  prompt_tokens_ += static_cast<uint64_t>(
      std::max(0, std::min(share.count, stream.prompt_len - stream.num_computed)));
  scheduler_.Advance(share);
  if (!share.samples) return;
  const float* row = logits + int64_t{share.count - share.first_logits - 1} * limits_.vocab_size;
  group.guessed += share.guesses;
  int right = 0;
  while (DeliverToken(&stream, row + int64_t{right} * limits_.vocab_size)) {
    if (right == share.guesses || stream.tokens.back() != stream.guesses[right]) break;
    scheduler_.Advance({&stream, 1});
    ++right;
    ++group.guessed_right;
  }
  drafter_.Learn(stream, share.guesses, right);
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
  if (stream->sampling.penalizes()) ++stream->counts.output[token];
  ++generated_tokens_;
  TokenEvent event;
  event.index = stream->index;
  event.prompt_logprobs = std::move(stream->prompt_logprobs);
  event.tokens.push_back(*std::move(sampled));
  const auto& stops = group.request.stop_token_ids;
  if (std::find(stops.begin(), stops.end(), token) != stops.end()) {
    Finish(stream, FinishReason::kStop, std::move(event));
    return false;
  }
  if (stream->generated() >= stream->max_tokens) {
    Finish(stream, FinishReason::kLength, std::move(event));
    return false;
  }
  if (stream->constraint) {
    stream->constraint->Accept(token);
  }
  group.events->Push(std::move(event));
  return true;
}

Result<SampledToken> ModelLoop::SampleNext(Stream* stream, const float* row) {
  std::span<const uint32_t> permitted;
  if (stream->constraint) {
    stream->constraint->Wait(Clock::now() + std::chrono::seconds(20));
    if (stream->constraint->Poll() != TokenConstraint::State::kReady) {
      return stream->constraint->error();
    }
    permitted = stream->constraint->Allowed();
  }
  return sampler_.Sample({row, static_cast<size_t>(limits_.vocab_size)}, {valid_tokens_, permitted},
                         stream->sampling, stream->counts,
                         static_cast<uint64_t>(stream->generated()));
}

// Ends a sequence, unless it has ended already; its blocks are free at once.
void ModelLoop::Finish(Stream* stream, FinishReason reason, TokenEvent event, Status status) {
  if (stream->state == Sequence::State::kFinished) return;
  Group& group = *stream->group;
  scheduler_.Remove(stream);
  drafter_.Forget(*stream);
  group.preemptions += stream->preemptions;
  event.index = stream->index;
  event.finish = reason;
  event.status = std::move(status);
  if (--group.unfinished == 0) {
    RequestTimings timings{.preemptions = group.preemptions,
                           .cached_tokens = group.streams[0]->num_cached,
                           .images_encoded = group.encoded,
                           .guessed_tokens = group.guessed,
                           .guessed_right = group.guessed_right};
    cached_tokens_ += static_cast<uint64_t>(timings.cached_tokens);
    guessed_tokens_ += static_cast<uint64_t>(group.guessed);
    guessed_right_ += static_cast<uint64_t>(group.guessed_right);
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
    event.timings = timings;
  }
  group.events->Push(std::move(event));
}

void ModelLoop::DropFinished() {
  std::erase_if(groups_, [&](const auto& entry) {
    if (entry->unfinished > 0) return false;
    images_.Remove(entry.get());
    return true;
  });
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
          .guessed_tokens = guessed_tokens_,
          .guessed_right = guessed_right_,
          .images_encoded = images_.encoded(),
          .image_cache_hits = images_.cache_hits(),
          .image_cache_bytes = images_.cache_bytes()};
}

}  // namespace edgegate
