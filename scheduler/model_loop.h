// One model's part of the engine loop. A step has three phases: schedule (which sequences compute
// how many tokens), forward (compute and deliver them), and pace (learn what that cost, and encode
// images in the time that running streams can spare).
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "scheduler/admission_limiter.h"
#include "scheduler/delivery.h"
#include "scheduler/drafter.h"
#include "scheduler/engine_snapshot.h"
#include "scheduler/generation_stream.h"
#include "scheduler/loop_member.h"
#include "scheduler/media_queue.h"
#include "scheduler/request_table.h"
#include "scheduler/scheduler.h"
#include "scheduler/scheduler_settings.h"
#include "scheduler/sequence_group.h"
#include "scheduler/step_pace.h"
#include "scheduler/weight_check.h"

namespace edgegate {

// Called by the engine loop's thread only, except for the methods that are marked thread-safe.
class ModelLoop : public LoopMember {
 public:
  // `valid_tokens`, `draft` and `check_weights`: see EngineLoop::AddModel.
  ModelLoop(std::unique_ptr<ModelRunner> runner, const SchedulerSettings& settings,
            std::vector<bool> valid_tokens, std::unique_ptr<ModelRunner> draft = nullptr,
            std::function<Status()> check_weights = nullptr);

  // Fixed limits of the model. Thread-safe.
  const RunnerLimits& limits() const { return limits_; }

  AdmissionLimiter* limiter() const override { return limiter_.get(); }
  Status failure() const override { return weights_.failure(); }

  // Takes a request that passed CheckRequest().
  void Add(std::unique_ptr<SequenceGroup> group);
  void CancelAll() override { requests_.CancelAll(); }
  void Sweep(Clock::time_point now) override { requests_.Sweep(now); }

  bool HasWork() const override { return scheduler_.HasWork() || !media_.empty(); }
  // True if a step would compute something for a sequence that runs already.
  bool HasRunning() const override { return scheduler_.num_runnable() > 0; }

  // Computes and delivers one step; then encodes images, at least one slice. If streams run, in
  // this model or in others (`others_running`), prompts and images get the time that StepPace
  // spares. False if a forward pass or an encoder failed.
  bool Step(bool others_running) override;

  bool blocked() const override { return blocked_; }
  bool WaitForMask(Clock::time_point deadline) override { return requests_.WaitForMask(deadline); }

  EngineSnapshot::Model snapshot() const override;

 private:
  using Shares = std::vector<ScheduledSequence>;

  const Shares& Schedule(bool others_running);
  bool Forward(const Shares& step, bool others_running);
  void LearnPace(const Shares& step, Clock::duration took);
  Clock::duration MaskWait(const Shares& step, bool others_running) const;
  bool EncodeMedia(Clock::time_point until);
  Status EncodeSlice();
  Status CheckWeights();

  const std::unique_ptr<ModelRunner> runner_;
  const RunnerLimits limits_;
  WeightCheck weights_;
  const std::shared_ptr<AdmissionLimiter> limiter_;
  Scheduler scheduler_;
  Drafter drafter_;
  MediaQueue media_;
  Delivery delivery_;
  RequestTable requests_;
  StepPace pace_;

  // Of the current step.
  ForwardBatch batch_;
  bool streams_ = false;        // tokens of running streams wait for the end of the step
  StepPace::Duration spare_{};  // time for prompts and images
  bool blocked_ = false;
};

}  // namespace edgegate
