#include "server/catalog/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>

namespace edgegate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kTooSoon{2000};
constexpr int kBarWidth = 30;

int64_t RoundUp(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

void PrintBar(const std::string& title, int percent, const std::string& text) {
  const int filled = kBarWidth * percent / 100;
  // Clears the rest of the line, because the previous text may have been longer.
  std::fprintf(stderr, "\r%s [%s%s] %3d%% %s\033[K%s", title.c_str(),
               std::string(filled, '#').c_str(), std::string(kBarWidth - filled, '.').c_str(),
               percent, text.c_str(), percent == 100 ? "\n" : "");
}

}  // namespace

std::optional<seconds> EstimateTimeLeft(milliseconds elapsed, int done, int total) {
  if (done <= 0 || done >= total || elapsed < kTooSoon || int64_t{done} * 50 < total) {
    return std::nullopt;
  }
  return std::chrono::ceil<seconds>(elapsed * int64_t{total - done} / int64_t{done});
}

std::string TimeLeftText(seconds left) {
  int64_t time = std::max<int64_t>(1, left.count());
  time = time <= 60 ? RoundUp(time, 5) : RoundUp(time, 10);
  if (time < 60) return fmt::format("about {} s left", time);
  if (time >= 3600) {
    const int64_t minutes = RoundUp(time, 60) / 60;
    return fmt::format("about {} h {} min left", minutes / 60, minutes % 60);
  }
  if (time % 60 == 0) return fmt::format("about {} min left", time / 60);
  return fmt::format("about {} min {} s left", time / 60, time % 60);
}

bool LineSchedule::IsDue(int percent, Time now) {
  constexpr int kPercent = 10;
  constexpr seconds kInterval{10};
  const bool first = percent_ < 0, last = percent >= 100 && percent_ < 100;
  const bool late = percent > percent_ && now - time_ >= kInterval;
  if (!first && !last && !late && percent < percent_ + kPercent) return false;
  percent_ = percent;
  time_ = now;
  return true;
}

std::function<bool(int, int, std::string_view)> ProgressPrinter(const std::string& title,
                                                                const std::function<bool()>& stop) {
  using Clock = std::chrono::steady_clock;
  const bool terminal = isatty(STDERR_FILENO) != 0;
  std::optional<Clock::time_point> began;
  return [=, lines = LineSchedule()](int done, int total, std::string_view what) mutable {
    const auto now = Clock::now();
    if (!began) began = now;
    const int percent = total > 0 ? static_cast<int>(int64_t{100} * done / total) : 100;
    std::string text(what);
    const auto elapsed = std::chrono::duration_cast<milliseconds>(now - *began);
    if (const auto left = EstimateTimeLeft(elapsed, done, total)) {
      text += ", " + TimeLeftText(*left);
    }
    if (terminal) {
      PrintBar(title, percent, text);
    } else if (lines.IsDue(percent, now)) {
      std::fprintf(stderr, "%s: %d%% (%s)\n", title.c_str(), percent, text.c_str());
    }
    return !stop();
  };
}

}  // namespace edgegate
