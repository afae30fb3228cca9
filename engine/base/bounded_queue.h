// A first-in first-out queue between threads that never grows past its capacity.
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <utility>

#include "engine/base/mutex.h"

namespace edgegate {

// Provides its own synchronization: any thread may call any method.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t capacity) : capacity_(capacity) {}

  // Never blocks. Returns false and leaves `item` unchanged if the queue is full or closed.
  bool TryPush(T&& item) EG_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      if (closed_ || items_.size() >= capacity_) return false;
      items_.push_back(std::move(item));
    }
    changed_.NotifyOne();
    return true;
  }

  // Removes and returns the oldest item. Blocks until there is one. Returns nullopt if `deadline`
  // passes first, or if the queue is closed and empty. Items pushed before Close() are still
  // returned.
  std::optional<T> PopUntil(std::chrono::steady_clock::time_point deadline) EG_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (items_.empty() && !closed_) {
      if (!changed_.WaitUntil(mutex_, deadline)) break;
    }
    return PopLocked();
  }

  // Removes and returns the oldest item, or nullopt if the queue is empty. Never blocks.
  std::optional<T> TryPop() EG_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return PopLocked();
  }

  // Refuses further pushes and wakes all waiting threads. May be called more than once.
  void Close() EG_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      closed_ = true;
    }
    changed_.NotifyAll();
  }

  size_t size() const EG_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return items_.size();
  }

 private:
  std::optional<T> PopLocked() EG_REQUIRES(mutex_) {
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    return item;
  }

  const size_t capacity_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<T> items_ EG_GUARDED_BY(mutex_);
  bool closed_ EG_GUARDED_BY(mutex_) = false;
};

}  // namespace edgegate
