// One model's share of the engine loop: its scheduler, its runner, and the requests it is serving.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/sampling/sampler.h"
#include "scheduler/admission_limiter.h"
#include "scheduler/drafter.h"
#include "scheduler/engine_snapshot.h"
#include "scheduler/generation_stream.h"
#include "scheduler/image_queue.h"
#include "scheduler/scheduler.h"
#include "scheduler/scheduler_settings.h"
#include "scheduler/sequence_group.h"
#include "scheduler/step_pace.h"

namespace edgegate {

using Clock = std::chrono::steady_clock;

// Called by the engine loop's thread only, but for the methods that are said to be thread-safe.
class ModelLoop {
 public:
  // `draft`, of the same vocabulary, guesses for it; may be null. `check_weights`: see
  // EngineLoop::AddModel; may be null.
  ModelLoop(std::unique_ptr<ModelRunner> runner, const SchedulerSettings& limits,
            std::vector<bool> valid_tokens, std::unique_ptr<ModelRunner> draft = nullptr,
            std::function<Status()> check_weights = nullptr);

  // kInvalidArgument when the request can never run. Thread-safe.
  Status Check(const GenerationRequest& request) const;

  // A request that passed Check(), ready for Add(). Thread-safe.
  std::unique_ptr<SequenceGroup> Prepare(GenerationRequest request,
                                         std::shared_ptr<GenerationStream> stream,
                                         Clock::time_point submitted) const;

  // Whose tickets a request needs, when it comes from outside. Thread-safe.
  AdmissionLimiter* limiter() const { return limiter_.get(); }

  // Not OK once the weights were found damaged: the model answers no further request. Thread-safe.
  Status failure() const EG_EXCLUDES(failure_mutex_);

  void Add(std::unique_ptr<SequenceGroup> group);
  void Add(GenerationRequest request, std::shared_ptr<GenerationStream> stream,
           Clock::time_point submitted) {
    Add(Prepare(std::move(request), std::move(stream), submitted));
  }
  void CancelAll();
  // Ends what was cancelled, and requests whose deadline has passed.
  void Sweep(Clock::time_point now);

  bool HasWork() const { return scheduler_.HasWork() || !images_.empty(); }
  // Whether a step would compute something for a sequence that runs already.
  bool HasRunning() const { return scheduler_.num_runnable() > 0; }

  // Schedules, runs, samples and delivers one step; then encodes images, a unit at least. Where
  // streams run, here or in other models, prompts and images get what time StepPace spares. False
  // when the runner failed.
  bool Step(bool others_running);

  // Whether the last step had nothing to compute, though there is work: all of it waits for masks,
  // or for readers who take their tokens too slowly.
  bool blocked() const { return blocked_; }
  // Where a sequence waits for a mask: returns when it is there, or at `deadline`. False at once
  // where none does.
  bool WaitForMask(Clock::time_point deadline);

  EngineSnapshot::Model snapshot() const;

 private:
  using Group = SequenceGroup;
  using Stream = GroupSequence;

  void Enqueue(Group* group);
  void UpdatePaused();
  bool RunBatch(const std::vector<ScheduledSequence>& step, bool others_running);
  bool EncodeImages(Clock::time_point until);
  Status WorkOnImages();
  void FailGroup(Group* group, const Status& status);
  Status CheckWeights();
  void FailModel(const Status& status);
  void AddImageRows(const ScheduledSequence& share, int first);
  void BuildBatch(const std::vector<ScheduledSequence>& step);
  void LearnPace(const std::vector<ScheduledSequence>& step, Clock::duration took);
  void MarkScheduled(const std::vector<ScheduledSequence>& step, Clock::time_point now);

  // In model_loop_delivery.cc.
  void DeliverAll(const std::vector<ScheduledSequence>& step, const float* logits,
                  bool others_running);
  Clock::duration MaskBudget(const std::vector<ScheduledSequence>& step, bool others_running) const;
  void Deliver(const ScheduledSequence& share, const float* logits);
  bool MaskReady(Stream* stream);
  // The token that is sampled from the row. False when the sequence has ended with it.
  bool DeliverToken(Stream* stream, const float* row);
  Result<SampledToken> SampleNext(Stream* stream, const float* row);
  void AddPromptLogprobs(const ScheduledSequence& share, const float* logits);
  void Finish(Stream* stream, FinishReason reason, TokenEvent event, Status status = {});
  RequestTimings TimingsOf(const Group& group) const;
  void DropFinished();

  const std::unique_ptr<ModelRunner> runner_;
  const RunnerLimits limits_;
  const std::vector<bool> valid_tokens_;
  const std::function<Status()> check_weights_;  // may be null
  const std::shared_ptr<AdmissionLimiter> limiter_;
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
  uint64_t draft_tokens_ = 0;
  uint64_t accepted_tokens_ = 0;
  StepPace pace_;
  Clock::time_point mask_deadline_;  // of the current step
  bool blocked_ = false;

  mutable Mutex failure_mutex_;
  Status failure_ EG_GUARDED_BY(failure_mutex_);
};

}  // namespace edgegate
