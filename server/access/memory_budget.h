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

  // The longest time that a request waits for memory.
  static constexpr std::chrono::seconds kWait{3};

  // A share of the budget. Movable. Owned by one thread at a time. Gives its bytes back when it is
  // destroyed.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&& other) noexcept;
    ~Lease() { Release(); }

    // Adds `bytes` to the lease. Waits until `deadline` while other leases hold the memory.
    // kUnavailable: the memory is still not free at `deadline`; the message names the limit and its
    // setting. kInvalidArgument: `bytes` plus the bytes of this lease exceed the whole budget.
    // After an error the lease is unchanged.
    Status Grow(int64_t bytes, TimePoint deadline);
    // Gives back all but `bytes`. No effect if the lease holds less.
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

  // Makes a lease of zero bytes.
  Lease MakeLease() { return Lease(this); }

  // Call it before the first lease grows.
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
