// The requests of one model, from their arrival to their last event.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/status.h"
#include "scheduler/delivery.h"
#include "scheduler/media_queue.h"
#include "scheduler/scheduler.h"
#include "scheduler/sequence_group.h"

namespace edgegate {

// Called by the engine loop's thread only. Owns the groups; drops each one once it has ended.
class RequestTable {
 public:
  using Clock = std::chrono::steady_clock;

  // All of these must outlive this.
  RequestTable(Scheduler* scheduler, MediaQueue* media, Delivery* delivery)
      : scheduler_(scheduler), media_(media), delivery_(delivery) {}

  // Hands a request to the media queue, or to the scheduler if it has no media.
  void Add(std::unique_ptr<SequenceGroup> group);

  // Hands the sequences of a request that were not cancelled to the scheduler. The first one leads.
  void Enqueue(SequenceGroup* group);

  // Hands further branches of the requests that score branches to the scheduler.
  void AddBranches();

  // Ends everything with kCancelled.
  void CancelAll();
  // Ends cancelled sequences, and requests whose deadline has passed.
  void Sweep(Clock::time_point now);
  // Ends a request, or all of them, with an error.
  void Fail(SequenceGroup* group, const Status& status);
  void FailAll(const Status& status);
  // Drops the requests that have ended.
  void DropFinished();

  // Pauses the running sequences that wait for a mask or whose reader is too slow, and resumes the
  // others. Ends requests whose mask cannot be computed.
  void UpdatePaused();
  // If a running sequence waits for a mask: blocks until the mask is there or `deadline` passes,
  // and returns true. Else returns false at once.
  bool WaitForMask(Clock::time_point deadline);

 private:
  Scheduler* const scheduler_;
  MediaQueue* const media_;
  Delivery* const delivery_;
  std::vector<std::unique_ptr<SequenceGroup>> groups_;
  uint64_t next_sequence_id_ = 0;
};

}  // namespace edgegate
