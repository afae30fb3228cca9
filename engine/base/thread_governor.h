// Chooses the number of threads of each step on a machine that runs other programs too.
//
// The measure is the number of processors that a step obtained: the processor time of its threads
// divided by its duration. The processor time of a step is nearly the same for every number of
// threads, so a step that obtains more processors is faster. Threads that wait for a processor
// obtain little, and make the others wait at the end of each loop.
#pragma once

#include <chrono>

namespace edgegate {

// Pure: time comes in as durations. Owned by one thread.
class ThreadGovernor {
 public:
  using Duration = std::chrono::nanoseconds;

  // Returns the number of threads of the next step, from 1 to `limit`. Starts with `limit`, and
  // starts again if `limit` differs from that of the last call.
  int Choose(int limit);

  // Records a step with the number of threads that Choose() returned last. It took `wall`, and its
  // threads together used `cpu` of processor time.
  void Learn(Duration wall, Duration cpu);

 private:
  void EndWindow(double obtained);
  void EndTrial(double obtained);
  void TryAnother(double obtained);

  int limit_ = 0;
  int settled_ = 0;  // number of threads in use
  int trial_ = 0;    // number of threads on trial; 0: none

  // Sums of the current window: consecutive steps with the same number of threads.
  int steps_ = 0;
  Duration wall_{0}, cpu_{0};

  double settled_obtained_ = 0;           // processors obtained in the last window before the trial
  int until_fewer_ = 1, until_more_ = 1;  // windows until fewer, or more, threads are tried
  int fewer_pause_ = 1;                   // `until_fewer_` after the next failed trial
  bool halfway_ = false;                  // the next trial of fewer threads takes the midpoint
};

}  // namespace edgegate
