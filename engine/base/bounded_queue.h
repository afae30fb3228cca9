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

  // Never blocks. False, with `item` untouched, when the queue is full or closed.
  bool TryPush(T&& item) EG_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      if (closed_ || items_.size() >= capacity_) return false;
      items_.push_back(std::move(item));
    }
    changed_.NotifyOne();
    return true;
  }

  // The oldest item; blocks until there is one, `deadline` passes, or the queue is closed and
  // empty (both of the latter give nullopt). Items pushed before Close() are still handed out.
  std::optional<T> PopUntil(std::chrono::steady_clock::time_point deadline) EG_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (items_.empty() && !closed_) {
      if (!changed_.WaitUntil(mutex_, deadline)) break;
    }
    return PopLocked();
  }

  // The oldest item if there is one now.
  std::optional<T> TryPop() EG_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return PopLocked();
  }

  // Refuses all further pushes and wakes every waiting thread. May be called more than once.
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
