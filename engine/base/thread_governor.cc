#include "engine/base/thread_governor.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace edgegate {
namespace {

// A window has at least this many steps and this duration, which is several time slices of the
// kernel's scheduler.
constexpr int kWindowSteps = 2;
constexpr auto kWindow = std::chrono::milliseconds(12);

// Another number of threads replaces the settled one only if it obtains this much more.
constexpr double kBetter = 1.05;

// Windows between failed trials. A trial of one more thread costs little and notices that another
// program has ended. A trial of fewer threads makes its steps slow, so its pause doubles.
constexpr int kMorePause = 2;
constexpr int kMostFewerPause = 64;

}  // namespace

int ThreadGovernor::Choose(int limit) {
  if (limit != limit_) {
    *this = ThreadGovernor();
    limit_ = settled_ = limit;
  }
  return trial_ > 0 ? trial_ : settled_;
}

void ThreadGovernor::Learn(Duration wall, Duration cpu) {
  ++steps_;
  wall_ += wall;
  cpu_ += cpu;
  if (steps_ < kWindowSteps || wall_ < kWindow) return;
  const double obtained = static_cast<double>(cpu_.count()) / static_cast<double>(wall_.count());
  steps_ = 0;
  wall_ = cpu_ = Duration(0);
  EndWindow(obtained);
}

void ThreadGovernor::EndWindow(double obtained) {
  if (trial_ > 0) {
    EndTrial(obtained);
  } else {
    TryAnother(obtained);
  }
}

void ThreadGovernor::EndTrial(double obtained) {
  const int tried = std::exchange(trial_, 0);
  const bool more = tried > settled_;
  if (obtained > kBetter * settled_obtained_) {
    settled_ = tried;
    settled_obtained_ = obtained;
    until_fewer_ = until_more_ = fewer_pause_ = 1;
    // If one more thread is better, all of them may be.
    if (more && settled_ < limit_) trial_ = limit_;
  } else if (more) {
    until_more_ = kMorePause;
  } else {
    fewer_pause_ = std::min(2 * fewer_pause_, kMostFewerPause);
    until_fewer_ = fewer_pause_;
    halfway_ = !halfway_;
  }
}

// `obtained`: processors that the settled number of threads obtained. N threads obtain at most N
// processors, so a number of threads below `obtained` is never tried.
void ThreadGovernor::TryAnother(double obtained) {
  settled_obtained_ = obtained;
  const int enough = std::max(1, static_cast<int>(std::ceil(obtained)));
  if (enough < settled_) {
    if (--until_fewer_ == 0) trial_ = halfway_ ? (enough + settled_) / 2 : enough;
  } else if (settled_ < limit_) {
    if (--until_more_ == 0) trial_ = settled_ + 1;
  }
}

}  // namespace edgegate
