// Measures for how long threads of this process waited for a processor that other threads had.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <vector>

namespace edgegate {

// Reads the second field of /proc/self/task/TID/schedstat (Linux, Documentation/scheduler/
// sched-stats.rst): the time for which a thread was ready to run and did not run. One thread at
// a time may use an object.
class RunDelay {
 public:
  RunDelay() = default;
  ~RunDelay();
  RunDelay(const RunDelay&) = delete;
  RunDelay& operator=(const RunDelay&) = delete;

  // Adds a thread of this process. Waited() counts it from then on.
  void Add(pid_t thread);

  // Returns the sum of the times for which the added threads and the calling thread waited since
  // the previous call. nullopt: this is the first call, another thread made the previous call, or
  // the kernel does not count.
  std::optional<std::chrono::nanoseconds> Waited();

 private:
  std::optional<std::chrono::nanoseconds> Sum() const;

  std::vector<int> files_;                       // of the added threads; -1: it cannot be opened
  pid_t caller_ = 0;                             // of the call before
  std::optional<std::chrono::nanoseconds> sum_;  // at the previous call
};

}  // namespace edgegate
