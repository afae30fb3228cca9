#include "scheduler/generation_stream.h"

namespace edgegate {

void EventQueue::Push(TokenEvent event) {
  {
    MutexLock lock(mutex_);
    undelivered_ += static_cast<int>(event.tokens.size());
    if (undelivered_ >= kMaxUndelivered) backlogged_ = true;
    events_.push_back(std::move(event));
  }
  changed_.NotifyOne();
}

std::optional<TokenEvent> EventQueue::Next(std::chrono::steady_clock::time_point deadline) {
  MutexLock lock(mutex_);
  while (events_.empty()) {
    if (unfinished_ == 0) return std::nullopt;
    if (!changed_.WaitUntil(mutex_, deadline) && events_.empty()) return std::nullopt;
  }
  TokenEvent event = std::move(events_.front());
  events_.pop_front();
  undelivered_ -= static_cast<int>(event.tokens.size());
  if (undelivered_ <= kMaxUndelivered / 2) backlogged_ = false;
  if (event.finish != FinishReason::kNone) --unfinished_;
  return event;
}

}  // namespace edgegate
