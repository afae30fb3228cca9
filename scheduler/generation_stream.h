// Between the engine loop, which pushes events, and the server's thread, which takes them. Requests
// that were submitted together share a queue, so that one wait is for the news of all.
#pragma once

#include <atomic>
#include <deque>
#include <memory>

#include "engine/base/mutex.h"
#include "scheduler/request.h"

namespace edgegate {

// Provides its own synchronization. Bounded: where its reader lets kMostUndelivered tokens wait,
// the engine loop stops computing for it until half of them were taken.
class EventQueue {
 public:
  static constexpr int kMostUndelivered = 2048;

  explicit EventQueue(int num_sequences) : unfinished_(num_sequences) {}

  void Push(TokenEvent event) EG_EXCLUDES(mutex_);
  std::optional<TokenEvent> Next(std::chrono::steady_clock::time_point deadline)
      EG_EXCLUDES(mutex_);
  // Whether the reader is too far behind for more tokens. What is pushed all the same is kept.
  bool Backlogged() const { return backlogged_.load(std::memory_order_relaxed); }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::deque<TokenEvent> events_ EG_GUARDED_BY(mutex_);
  int undelivered_ EG_GUARDED_BY(mutex_) = 0;  // tokens in events_
  std::atomic<bool> backlogged_{false};
  int unfinished_ EG_GUARDED_BY(mutex_);  // sequences whose final event was not handed out
};

// One request's way to the queue and back. Provides its own synchronization.
class GenerationStream {
 public:
  // `first` is what the queue's reader calls sequence 0.
  GenerationStream(std::shared_ptr<EventQueue> events, int first)
      : events_(std::move(events)), first_(first) {}
  // A request alone.
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

  // Asks the loop to end sequence `index`, or all with -1. A flag rather than a message: it cannot
  // be lost to a full queue.
  void RequestCancel(int index) { cancelled_.fetch_or(index < 0 ? ~uint64_t{0} : Bit(index)); }
  bool CancelRequested(int index) const { return (cancelled_.load() & Bit(index)) != 0; }

 private:
  static uint64_t Bit(int index) { return uint64_t{1} << index; }

  const std::shared_ptr<EventQueue> events_;
  const int first_;
  std::atomic<uint64_t> cancelled_{0};  // a bit for each sequence
};

}  // namespace edgegate
