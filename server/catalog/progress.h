// Progress of long work on standard error.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace edgegate {

// The time that work takes from here on, where `done` of `total` took `elapsed` and the rest goes
// as fast. Nothing while too little is done to tell, and once all is done.
std::optional<std::chrono::seconds> EstimateTimeLeft(std::chrono::milliseconds elapsed, int done,
                                                     int total);

// The text is like "about 2 min 10 s left". The time is rounded to 5 s below a minute, to 10 s
// below an hour, else to minutes.
std::string TimeLeftText(std::chrono::seconds left);

// When the next plain line is due: with 10 % more, or, after 10 s, with 1 % more. The first and the
// last value are always due.
class LineSchedule {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // True where a line is to be printed now. The line then counts as printed.
  bool IsDue(int percent, Time now);

 private:
  int percent_ = -1;  // of the last line
  Time time_;
};

// For QuantizeOptions: a progress bar where standard error is a terminal, else a line now and then;
// both with the time left. `stop` says when the work is to end.
std::function<bool(int done, int total, std::string_view what)> ProgressPrinter(
    const std::string& title, const std::function<bool()>& stop);

}  // namespace edgegate
