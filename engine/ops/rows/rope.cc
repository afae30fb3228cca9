#include "engine/ops/rows/rope.h"

#include "engine/base/portable_math.h"
#include "engine/base/thread_pool.h"

namespace edgegate {

RopeTable::RopeTable(int rotary_dim, double theta, const std::vector<float>& frequency_divisors,
                     const std::vector<int32_t>& frequency_axes)
    : half_(rotary_dim / 2), frequency_(half_), axis_(frequency_axes) {
  axis_.resize(static_cast<size_t>(half_));
  for (int i = 0; i < half_; ++i) {
    frequency_[i] = static_cast<float>(1.0 / PortablePow(theta, 2.0 * i / rotary_dim));
    if (!frequency_divisors.empty()) frequency_[i] /= frequency_divisors[i];
  }
}

void RopeTable::SetPositions(const std::vector<int32_t>& positions, int axes) {
  const int tokens = static_cast<int>(positions.size()) / axes;
  table_.resize(size_t{2} * half_ * tokens);
  ParallelFor(tokens, [&](int t) {
    float* row = &table_[int64_t{t} * 2 * half_];
    for (int i = 0; i < half_; ++i) {
      const int axis = axes == 1 ? 0 : axis_[i];
      const float angle = static_cast<float>(positions[t * axes + axis]) * frequency_[i];
      const SineCosine turn = PortableSineCosine(double{angle});
      row[i] = static_cast<float>(turn.cosine);
      row[half_ + i] = static_cast<float>(turn.sine);
    }
  });
}

void RopeInterleaved(float* head, int half, const float* cosines, const float* sines) {
  for (int i = 0; i < half; ++i) {
    const float a = head[2 * i];
    const float b = head[2 * i + 1];
    head[2 * i] = a * cosines[i] - b * sines[i];
    head[2 * i + 1] = b * cosines[i] + a * sines[i];
  }
}

void RopeHalfSplit(float* head, int half, const float* cosines, const float* sines) {
  for (int i = 0; i < half; ++i) {
    const float a = head[i];
    const float b = head[half + i];
    head[i] = a * cosines[i] - b * sines[i];
    head[half + i] = b * cosines[i] + a * sines[i];
  }
}

}  // namespace edgegate
