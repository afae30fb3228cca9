#include "server/access/memory_budget.h"

#include <utility>

namespace edgegate {

MemoryBudget::Lease::Lease(Lease&& other) noexcept
    : budget_(other.budget_), bytes_(std::exchange(other.bytes_, 0)) {}

MemoryBudget::Lease& MemoryBudget::Lease::operator=(Lease&& other) noexcept {
  std::swap(budget_, other.budget_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

Status MemoryBudget::Lease::Grow(int64_t bytes, TimePoint deadline) {
  EG_RETURN_IF_ERROR(budget_->Take(bytes, bytes_, deadline));
  bytes_ += bytes;
  return {};
}

void MemoryBudget::Lease::ShrinkTo(int64_t bytes) {
  if (bytes_ <= bytes) return;
  budget_->Give(bytes_ - bytes);
  bytes_ = bytes;
}

void MemoryBudget::SetLimit(int64_t limit) {
  MutexLock lock(mutex_);
  limit_ = limit;
}

int64_t MemoryBudget::limit() const {
  MutexLock lock(mutex_);
  return limit_;
}

int64_t MemoryBudget::used() const {
  MutexLock lock(mutex_);
  return used_;
}

Status MemoryBudget::Take(int64_t bytes, int64_t held, TimePoint deadline) {
  MutexLock lock(mutex_);
  const int64_t mib = limit_ >> 20;
  if (bytes > limit_ - held) {
    return InvalidArgument(
        "The request needs more memory than all requests may take together, which is {} MiB "
        "(server.request_memory_mb).",
        mib);
  }
  while (bytes > limit_ - used_) {
    if (!freed_.WaitUntil(mutex_, deadline) && bytes > limit_ - used_) {
      return Unavailable(
          "Other requests hold the memory that this one needs: all together may take {} MiB "
          "(server.request_memory_mb).",
          mib);
    }
  }
  used_ += bytes;
  return {};
}

void MemoryBudget::Give(int64_t bytes) {
  {
    MutexLock lock(mutex_);
    used_ -= bytes;
  }
  freed_.NotifyAll();
}

}  // namespace edgegate
