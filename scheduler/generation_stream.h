// Between the engine loop, which pushes a request's events, and the server's thread, which takes
// them.
#pragma once

#include <atomic>
#include <deque>
#include <memory>

#include "engine/base/mutex.h"
#include "scheduler/request.h"

namespace edgegate {

// Provides its own synchronization. Bounded by construction: a request has at most one event for
// each token it may generate, and a final one for each sequence.
class GenerationStream {
 public:
  explicit GenerationStream(int num_sequences) : unfinished_(num_sequences) {}

  void Push(TokenEvent event) EG_EXCLUDES(mutex_);
  std::optional<TokenEvent> Next(std::chrono::steady_clock::time_point deadline)
      EG_EXCLUDES(mutex_);

  // Asks the loop to end sequence `index`, or all with -1. A flag rather than a message: it cannot
  // be lost to a full queue.
  void RequestCancel(int index) { cancelled_.fetch_or(index < 0 ? ~uint64_t{0} : Bit(index)); }
  bool CancelRequested(int index) const { return (cancelled_.load() & Bit(index)) != 0; }

 private:
  static uint64_t Bit(int index) { return uint64_t{1} << index; }

  std::atomic<uint64_t> cancelled_{0};  // a bit for each sequence
  Mutex mutex_;
  CondVar changed_;
  std::deque<TokenEvent> events_ EG_GUARDED_BY(mutex_);
  int unfinished_ EG_GUARDED_BY(mutex_);  // sequences whose final event was not handed out
};

}  // namespace edgegate
