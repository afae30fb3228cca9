// SIGTERM and SIGINT, taken when it suits rather than where they strike.
#pragma once

#include <signal.h>

#include <chrono>
#include <optional>

namespace edgegate {

// Blocks both for this thread and every thread started from now on: make it first, once.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    signal(SIGPIPE, SIG_IGN);
  }

  // True where a signal has come that Wait() has not returned yet. Thread-safe.
  bool pending() const {
    sigset_t came;
    sigpending(&came);
    return sigismember(&came, SIGTERM) == 1 || sigismember(&came, SIGINT) == 1;
  }

  // Takes one; false: none came within `most`. nullopt: waits until one comes.
  bool Wait(std::optional<std::chrono::microseconds> most) const {
    if (!most) return sigwaitinfo(&signals_, nullptr) > 0;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(*most);
    const timespec time{seconds.count(), std::chrono::nanoseconds(*most - seconds).count()};
    return sigtimedwait(&signals_, nullptr, &time) > 0;
  }

 private:
  sigset_t signals_;
};

}  // namespace edgegate
