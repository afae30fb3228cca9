#include "scheduler/encode_request.h"

#include <algorithm>

namespace edgegate {

bool EncodeJob::Wait(Clock::time_point until) {
  MutexLock lock(mutex_);
  while (!ended_) {
    if (!changed_.WaitUntil(mutex_, until) && !ended_) return false;
  }
  return true;
}

Status EncodeJob::status() const {
  MutexLock lock(mutex_);
  return status_;
}

bool EncodeJob::ended() const {
  MutexLock lock(mutex_);
  return ended_;
}

void EncodeJob::Deliver(int text, const float* embedding) {
  if (ended()) return;
  std::copy_n(embedding, width_, embeddings_.begin() + int64_t{text} * width_);
  ticket_.Release(1);
  if (++delivered_ == std::ssize(request_.texts)) End({});
}

void EncodeJob::Fail(const Status& status) {
  if (ended()) return;
  ticket_.Release(static_cast<int>(request_.texts.size()) - delivered_);
  End(status);
}

void EncodeJob::End(Status status) {
  {
    MutexLock lock(mutex_);
    ended_ = true;
    status_ = std::move(status);
  }
  changed_.NotifyOne();
}

}  // namespace edgegate
