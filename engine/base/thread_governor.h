// Chooses the number of threads of each step on a machine that other programs use too.
//
// The measure is the number of processors that a step obtained: the processor time of its threads
// over its duration. The processor time of a step is nearly the same for every number of threads,
// so that a step that obtains more processors is faster. Threads that the scheduler of the kernel
// keeps waiting obtain little, and make the others wait at the end of each loop.
#pragma once

#include <chrono>

namespace edgegate {

// Pure: time comes in as durations. Owned by one thread.
class ThreadGovernor {
 public:
  using Duration = std::chrono::nanoseconds;

  // The number of threads of the next step, from 1 to `limit`. Begins with `limit`, and begins
  // again where `limit` is another one than in the call before.
  int Choose(int limit);

  // The step, computed with the number of threads that Choose() gave last, took `wall`, and all
  // its threads together had `cpu` of processor time.
  void Learn(Duration wall, Duration cpu);

 private:
  void EndWindow(double obtained);
  void EndTrial(double obtained);
  void TryAnother(double obtained);

  int limit_ = 0;
  int settled_ = 0;  // the number of threads that is in use
  int trial_ = 0;    // the number that is being tried; 0: none

  // Of the current window, some steps in a row with the same number of threads.
  int steps_ = 0;
  Duration wall_{0}, cpu_{0};

  double settled_obtained_ = 0;           // processors, in the last window before the trial
  int until_fewer_ = 1, until_more_ = 1;  // windows until fewer, or more, threads are tried
  int fewer_pause_ = 1;                   // `until_fewer_` after the next trial in vain
  bool halfway_ = false;                  // the next trial of fewer threads is of a number between
};

}  // namespace edgegate
