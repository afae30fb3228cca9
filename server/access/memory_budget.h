// The memory that requests may take together: bodies in flight, parsed requests, prompts, images
// and answers. Every part of a request that can grow with what a client sends holds a lease.
#pragma once

#include <chrono>
#include <cstdint>

#include "engine/base/mutex.h"
#include "engine/base/status.h"

namespace edgegate {

// Provides its own synchronization. Must outlive its leases.
class MemoryBudget {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // A request waits so long for memory.
  static constexpr std::chrono::seconds kWait{3};

  // A share of the budget. Movable. Owned by one thread at a time. Gives its bytes back when it is
  // destroyed.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&& other) noexcept;
    ~Lease() { Release(); }

    // Takes `bytes` more. Waits until `deadline` while others hold the memory. kUnavailable, naming
    // the limit and its setting, when they still hold it then; kInvalidArgument when `bytes` and
    // what the lease holds are more than the whole budget. The lease keeps what it had.
    Status Grow(int64_t bytes, TimePoint deadline);
    // Gives back all but `bytes`. No effect when the lease holds less.
    void ShrinkTo(int64_t bytes);
    void Release() { ShrinkTo(0); }

    int64_t bytes() const { return bytes_; }

   private:
    friend class MemoryBudget;
    explicit Lease(MemoryBudget* budget) : budget_(budget) {}

    MemoryBudget* budget_ = nullptr;
    int64_t bytes_ = 0;
  };

  explicit MemoryBudget(int64_t limit) : limit_(limit) {}

  // A lease of no bytes yet.
  Lease MakeLease() { return Lease(this); }

  // Before anything is taken.
  void SetLimit(int64_t limit) EG_EXCLUDES(mutex_);
  int64_t limit() const EG_EXCLUDES(mutex_);
  int64_t used() const EG_EXCLUDES(mutex_);

 private:
  Status Take(int64_t bytes, int64_t held, TimePoint deadline) EG_EXCLUDES(mutex_);
  void Give(int64_t bytes) EG_EXCLUDES(mutex_);

  mutable Mutex mutex_;
  CondVar freed_;
  int64_t limit_ EG_GUARDED_BY(mutex_);
  int64_t used_ EG_GUARDED_BY(mutex_) = 0;
};

}  // namespace edgegate
