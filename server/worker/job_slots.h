// Slots for jobs on worker processes. Few jobs run at once. The others wait, and the clients take
// turns.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <list>
#include <string>

#include "engine/base/mutex.h"
#include "engine/base/status.h"

namespace edgegate {

// The client that a job is for.
struct JobContext {
  std::string client;               // ID of the API key, or the address
  std::function<bool()> cancelled;  // true if the result is no longer needed; may be null
};

// Provides its own synchronization. Must outlive its slots.
class JobSlots {
 public:
  class Slot {
   public:
    explicit Slot(JobSlots* slots) : slots_(slots) {}
    Slot(Slot&& other) noexcept : slots_(other.slots_) { other.slots_ = nullptr; }
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (slots_ != nullptr) slots_->Release();
    }

   private:
    JobSlots* slots_;
  };

  // `count` jobs run at once; `max_waiting` wait, each for at most `longest_wait`.
  JobSlots(int count, int max_waiting, std::chrono::seconds longest_wait = std::chrono::seconds(4))
      : free_(count), max_waiting_(max_waiting), longest_wait_(longest_wait) {}

  // Waits for a slot. Waiting clients take turns. The jobs of one client are served in order of
  // arrival. kCancelled: `context` was cancelled. kUnavailable: too many jobs wait, the wait took
  // too long, or Close() was called.
  Result<Slot> Acquire(const JobContext& context) EG_EXCLUDES(mutex_);

  // Refuses all further jobs. closed() becomes true, so that running jobs end.
  void Close() EG_EXCLUDES(mutex_);
  bool closed() const EG_EXCLUDES(mutex_);

 private:
  struct Waiter {
    bool granted = false;
  };
  struct Client {
    std::string name;
    std::deque<Waiter*> waiters;
  };
  void Release() EG_EXCLUDES(mutex_);
  void GrantNext() EG_REQUIRES(mutex_);
  void Enqueue(const std::string& name, Waiter* waiter) EG_REQUIRES(mutex_);
  void Remove(Waiter* waiter) EG_REQUIRES(mutex_);

  mutable Mutex mutex_;
  CondVar changed_;
  int free_ EG_GUARDED_BY(mutex_);
  const int max_waiting_;
  const std::chrono::seconds longest_wait_;
  int waiting_ EG_GUARDED_BY(mutex_) = 0;
  std::list<Client> clients_
      EG_GUARDED_BY(mutex_);  // clients with waiting jobs; the first one is next
  bool closed_ EG_GUARDED_BY(mutex_) = false;
};

}  // namespace edgegate
