// Shows the progress of long work on standard error.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace edgegate {

// Estimates the remaining time of work. `done` of `total` steps took `elapsed`, and the other steps
// are assumed to be as fast. nullopt: too few steps are done for an estimate, or all are done.
std::optional<std::chrono::seconds> EstimateTimeLeft(std::chrono::milliseconds elapsed, int done,
                                                     int total);

// Returns a text such as "about 2 min 10 s left". The time is rounded to 5 s below one minute, to
// 10 s below one hour, else to minutes.
std::string TimeLeftText(std::chrono::seconds left);

// Decides when to print a line where no progress bar is possible. A line is due after 10 % more,
// or, if the last line is 10 s old, after 1 % more. The first and the last value are always due.
class LineSchedule {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // True if a line must be printed now. That line then counts as printed.
  bool IsDue(int percent, Time now);

 private:
  int percent_ = -1;  // of the last line
  Time time_;
};

// Makes the progress function for QuantizeOptions. It draws a progress bar if standard error is a
// terminal, else it prints lines. Both show the remaining time. If `stop` returns true, the work
// ends.
std::function<bool(int done, int total, std::string_view what)> ProgressPrinter(
    const std::string& title, const std::function<bool()>& stop);

}  // namespace edgegate
