// Receives SIGTERM and SIGINT by waiting for them. There are no signal handlers.
#pragma once

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <optional>

namespace edgegate {

// Blocks both signals for this thread and for every thread that is started later. Make one object,
// before any thread.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    signal(SIGPIPE, SIG_IGN);
  }

  // True if a signal has come that Wait() has not taken yet. Thread-safe.
  bool pending() const {
    sigset_t came;
    sigpending(&came);
    return sigismember(&came, SIGTERM) == 1 || sigismember(&came, SIGINT) == 1;
  }

  // Takes a signal that has come. Returns its number; 0: none has come.
  int Take() const {
    const timespec none{};
    return std::max(0, sigtimedwait(&signals_, nullptr, &none));
  }

  // Returns both signals, for signalfd().
  const sigset_t& set() const { return signals_; }

  // Waits for a signal and takes it. False: none came within `most`. nullopt: no time limit.
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
