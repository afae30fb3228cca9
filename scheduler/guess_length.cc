#include "scheduler/guess_length.h"

#include <algorithm>

namespace edgegate {
namespace {

constexpr int kLongestGuess = 16;
constexpr int kMostMisses = 6;  // then every 64th step is tried

}  // namespace

int GuessLength::Next() {
  if (pause_ == 0) return length_;
  --pause_;
  return 0;
}

void GuessLength::Learn(int computed, int right) {
  if (computed == 0) return;
  if (right == 0) {
    misses_ = std::min(misses_ + 1, kMostMisses);
    pause_ = (1 << misses_) - 2;
    length_ = std::max(1, length_ / 2);
  } else {
    misses_ = 0;
    length_ = std::min(right == computed ? 2 * length_ : right + 1, kLongestGuess);
  }
}

}  // namespace edgegate
