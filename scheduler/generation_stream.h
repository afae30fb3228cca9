// Connects the engine loop, which pushes events, and the server's thread, which takes them.
// Requests that were submitted together share a queue, so that one wait covers all of them.
#pragma once

#include <atomic>
#include <deque>
#include <memory>

#include "engine/base/mutex.h"
#include "scheduler/request.h"

namespace edgegate {

// Provides its own synchronization. Backpressure: once kMaxUndelivered tokens wait for the reader,
// the engine loop pauses the sequences until half of them have been taken.
class EventQueue {
 public:
  static constexpr int kMaxUndelivered = 2048;

  explicit EventQueue(int num_sequences) : unfinished_(num_sequences) {}

  // Never blocks and never drops an event.
  void Push(TokenEvent event) EG_EXCLUDES(mutex_);
  // The next event. nullopt if `deadline` passes first, or if the final event of every sequence has
  // been taken.
  std::optional<TokenEvent> Next(std::chrono::steady_clock::time_point deadline)
      EG_EXCLUDES(mutex_);
  // True while the reader is too far behind for more tokens.
  bool Backlogged() const { return backlogged_.load(std::memory_order_relaxed); }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::deque<TokenEvent> events_ EG_GUARDED_BY(mutex_);
  int undelivered_ EG_GUARDED_BY(mutex_) = 0;  // tokens in events_
  std::atomic<bool> backlogged_{false};
  int unfinished_ EG_GUARDED_BY(mutex_);  // sequences whose final event was not taken
};

// One request's end of the queue. Provides its own synchronization.
class GenerationStream {
 public:
  static constexpr int kMaxSequences = 64;  // a bit of `cancelled_` for each

  // `first` is the number that the queue's reader knows as this request's sequence 0.
  GenerationStream(std::shared_ptr<EventQueue> events, int first)
      : events_(std::move(events)), first_(first) {}
  // A request with a queue of its own.
  explicit GenerationStream(int num_sequences)
      : GenerationStream(std::make_shared<EventQueue>(num_sequences), 0) {}

  void Push(TokenEvent event) {
    event.index += first_;
    events_->Push(std::move(event));
  }
  std::optional<TokenEvent> Next(std::chrono::steady_clock::time_point deadline) {
    return events_->Next(deadline);
  }

  bool Backlogged() const { return events_->Backlogged(); }

  // Asks the loop to end sequence `index`, or all with -1. A flag and not a message, so that it
  // cannot be lost to a full queue.
  void RequestCancel(int index) { cancelled_.fetch_or(index < 0 ? ~uint64_t{0} : Bit(index)); }
  bool CancelRequested(int index) const { return (cancelled_.load() & Bit(index)) != 0; }

 private:
  static uint64_t Bit(int index) { return uint64_t{1} << index; }

  const std::shared_ptr<EventQueue> events_;
  const int first_;
  std::atomic<uint64_t> cancelled_{0};
};

}  // namespace edgegate
