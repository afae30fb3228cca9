#include "scheduler/draft_length.h"

#include <algorithm>

namespace edgegate {
namespace {

constexpr int kMaxLength = 16;
constexpr int kMaxMisses = 6;  // bounds the pause to 2^6 - 2 steps

}  // namespace

int DraftLength::Next() {
  if (pause_ == 0) return length_;
  --pause_;
  return 0;
}

void DraftLength::Learn(int computed, int accepted) {
  if (computed == 0) return;
  if (accepted == 0) {
    misses_ = std::min(misses_ + 1, kMaxMisses);
    pause_ = (1 << misses_) - 2;
    length_ = std::max(1, length_ / 2);
  } else {
    misses_ = 0;
    length_ = std::min(accepted == computed ? 2 * length_ : accepted + 1, kMaxLength);
  }
}

}  // namespace edgegate
