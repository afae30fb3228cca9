// A mutex and a condition variable that clang's -Wthread-safety checks. Each field that a lock
// guards is marked with EG_GUARDED_BY. See https://clang.llvm.org/docs/ThreadSafetyAnalysis.html.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define EG_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define EG_THREAD_ANNOTATION(x)
#endif

#define EG_GUARDED_BY(m) EG_THREAD_ANNOTATION(guarded_by(m))
#define EG_REQUIRES(...) EG_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define EG_EXCLUDES(...) EG_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))

namespace edgegate {

class EG_THREAD_ANNOTATION(capability("mutex")) Mutex {
 public:
  void Lock() EG_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
  void Unlock() EG_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

// Holds `mutex` until the end of its scope.
class EG_THREAD_ANNOTATION(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) EG_THREAD_ANNOTATION(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.Lock();
  }
  ~MutexLock() EG_THREAD_ANNOTATION(release_capability()) { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

class CondVar {
 public:
  // Both may wake spuriously: call them in a loop that checks the condition.
  void Wait(Mutex& mutex) EG_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    cv_.wait(lock);
    lock.release();
  }
  // Returns false if `deadline` passed first.
  bool WaitUntil(Mutex& mutex, std::chrono::steady_clock::time_point deadline) EG_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    bool in_time = cv_.wait_until(lock, deadline) == std::cv_status::no_timeout;
    lock.release();
    return in_time;
  }
  void NotifyOne() { cv_.notify_one(); }
  void NotifyAll() { cv_.notify_all(); }

 private:
  std::condition_variable cv_;
};

}  // namespace edgegate
