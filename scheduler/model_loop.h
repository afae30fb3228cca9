// One model's share of the engine loop: its scheduler, its runner, and the requests it is serving.
#pragma once

#include <memory>
#include <vector>

#include "engine/sampling/sampler.h"
#include "scheduler/drafter.h"
#include "scheduler/engine_loop.h"
#include "scheduler/generation_stream.h"
#include "scheduler/image_queue.h"
#include "scheduler/scheduler.h"
#include "scheduler/step_pace.h"

namespace edgegate {

using Clock = std::chrono::steady_clock;

// Called by the engine loop's thread only.
class ModelLoop {
 public:
  // `draft`, of the same vocabulary, guesses for it; may be null.
  ModelLoop(std::unique_ptr<ModelRunner> runner, const SchedulerLimits& limits,
            std::vector<bool> valid_tokens, std::unique_ptr<ModelRunner> draft = nullptr);

  // kInvalidArgument when the request can never run; thread-safe (reads constants only).
  Status Check(const GenerationRequest& request) const;

  void Add(GenerationRequest request, std::shared_ptr<GenerationStream> stream,
           Clock::time_point submitted);
  void CancelAll();
  // Ends what was cancelled, and requests whose deadline has passed.
  void Sweep(Clock::time_point now);

  bool HasWork() const { return scheduler_.HasWork() || !images_.empty(); }
  bool HasRunning() const { return scheduler_.num_running() > 0; }
  // Schedules, runs, samples and delivers one step; then encodes pictures, a unit at least. Where
  // streams run, here or in other models, prompts and pictures get what time StepPace spares. False
  // when the runner failed.
  bool Step(bool others_running);

  EngineSnapshot::Model snapshot() const;

 private:
  struct Group;
  // A request's sequence and what belongs to it alone.
  struct Stream : Sequence {
    Group* group = nullptr;
    int index = 0;
    SamplingParams sampling;  // the request's, with a seed of its own
    TokenCounts counts;
    std::unique_ptr<TokenConstraint> constraint;  // null: free
    std::vector<SampledToken> prompt_logprobs;
  };
  struct Group : ImageQueue::Client {
    GenerationRequest request;
    std::shared_ptr<GenerationStream> events;
    std::vector<std::unique_ptr<Stream>> streams;
    int unfinished = 0;
    int preemptions = 0;
    int guessed = 0;  // tokens, and of them those that were right
    int guessed_right = 0;
    Clock::time_point submitted, first_scheduled, first_token, last_token;
  };

  void Enqueue(Group* group);
  bool RunBatch(const std::vector<ScheduledSequence>& step);
  bool EncodeImages(Clock::time_point until);
  void FailGroup(Group* group, const Status& status);
  void AddImageRows(const ScheduledSequence& share, int first);

  void BuildBatch(const std::vector<ScheduledSequence>& step);
  void Deliver(const ScheduledSequence& share, const float* logits);
  // The token that is sampled from the row. False when the sequence has ended with it.
  bool DeliverToken(Stream* stream, const float* row);
  Result<SampledToken> SampleNext(Stream* stream, const float* row);
  void AddPromptLogprobs(const ScheduledSequence& share, const float* logits);
  void Finish(Stream* stream, FinishReason reason, TokenEvent event, Status status = {});
  void DropFinished();

  const std::unique_ptr<ModelRunner> runner_;
  const RunnerLimits limits_;
  const std::vector<bool> valid_tokens_;
  Scheduler scheduler_;
  Drafter drafter_;
  Sampler sampler_;
  ForwardBatch batch_;  // of the current step
  ImageQueue images_;
  std::vector<std::unique_ptr<Group>> groups_;
  uint64_t next_sequence_id_ = 0;
  uint64_t prompt_tokens_ = 0;
  uint64_t cached_tokens_ = 0;
  uint64_t generated_tokens_ = 0;
  uint64_t guessed_tokens_ = 0;
  uint64_t guessed_right_ = 0;
  StepPace pace_;
};

}  // namespace edgegate
