// A model that the engine loop steps: one that generates text (ModelLoop), or one that encodes
// texts (EncoderLoop).
#pragma once

#include <chrono>

#include "engine/base/status.h"
#include "scheduler/admission_limiter.h"
#include "scheduler/engine_snapshot.h"

namespace edgegate {

// Called by the engine loop's thread only, except for the methods that are marked thread-safe.
class LoopMember {
 public:
  using Clock = std::chrono::steady_clock;

  virtual ~LoopMember() = default;

  // Issues the tickets that requests from outside need. Thread-safe.
  virtual AdmissionLimiter* limiter() const = 0;
  // Not OK once the weights were found damaged. The model then refuses further requests.
  // Thread-safe.
  virtual Status failure() const = 0;

  virtual void CancelAll() = 0;
  // Ends cancelled requests, and requests whose deadline has passed.
  virtual void Sweep(Clock::time_point now) = 0;

  virtual bool HasWork() const = 0;
  // True if somebody waits for the model's next step. Other models then keep their steps short.
  virtual bool HasRunning() const = 0;

  // Computes and delivers one step, a short one if `others_running` is set. False if a computation
  // failed.
  virtual bool Step(bool others_running) = 0;

  // True if the last step had work and could do none of it: all sequences wait for masks or for
  // slow readers.
  virtual bool blocked() const { return false; }
  // If a sequence waits for a mask: blocks until the mask is there or `deadline` passes, and
  // returns true. Else returns false at once.
  virtual bool WaitForMask(Clock::time_point /*deadline*/) { return false; }

  virtual EngineSnapshot::Model snapshot() const = 0;
};

}  // namespace edgegate
