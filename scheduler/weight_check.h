// Checks that a model's weights are as they were when it was loaded.
#pragma once

#include <functional>
#include <utility>

#include "engine/base/mutex.h"
#include "engine/base/status.h"

namespace edgegate {

class WeightCheck {
 public:
  // `check` returns an error if the weights have changed; may be null.
  explicit WeightCheck(std::function<Status()> check) : check_(std::move(check)) {}

  // Checks the weights, and stores an error for failure(). Called by the engine loop's thread only.
  Status Run() EG_EXCLUDES(mutex_) {
    if (!check_) return {};
    Status status = check_();
    if (status.ok()) return status;
    MutexLock lock(mutex_);
    failure_ = Unavailable("{}", status.message());
    return status;
  }

  // Not OK once a check has failed. Thread-safe.
  Status failure() const EG_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return failure_;
  }

 private:
  const std::function<Status()> check_;
  mutable Mutex mutex_;
  Status failure_ EG_GUARDED_BY(mutex_);
};

}  // namespace edgegate
