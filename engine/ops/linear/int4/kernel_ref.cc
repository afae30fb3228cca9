#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/base/half.h"
#include "engine/ops/linear/int4/kernel.h"
#include "engine/ops/linear/int4/weights.h"

namespace edgegate {
namespace {

// Returns the exact product of 32 activations and the levels of column `c`.
int32_t Dot(const int8_t* x, const uint8_t* levels, int c) {
  int32_t sum = 0;
  for (int i = 0; i < kInt4Group / 2; ++i) {
    const uint8_t byte = levels[(i / 4 * kInt8Block + c) * 4 + i % 4];
    sum += x[i] * (byte & 15) + x[i + kInt4Group / 2] * (byte >> 4);
  }
  return sum;
}

}  // namespace

void Int4TileReference(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
                       float* sums) {
  std::fill_n(sums, count * kInt8Block, 0.0f);
  const int parts = rows.group / kInt4Group;
  uint16_t halves[2 * kInt8Block];
  for (int g = 0; g < groups; ++g, block += Int4GroupBytes(rows.group)) {
    std::memcpy(halves, block + parts * kInt4LevelBytes, sizeof halves);
    for (int r = 0; r < count; ++r) {
      const int8_t* x = rows.s8 + (first + r) * rows.stride + g * rows.group;
      const Int4Rows::Terms terms = rows.row_terms(first + r)[g];
      for (int c = 0; c < kInt8Block; ++c) {
        int32_t dot = 0;
        for (int p = 0; p < parts; ++p) {
          dot += Dot(x + p * kInt4Group, block + p * kInt4LevelBytes, c);
        }
        float& sum = sums[r * kInt8Block + c];
        sum = std::fma(F16ToFloat(halves[c]) * terms.scale, static_cast<float>(dot), sum);
        sum = std::fma(F16ToFloat(halves[kInt8Block + c]), terms.sum, sum);
      }
    }
  }
}

}  // namespace edgegate
