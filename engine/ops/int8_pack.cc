#include "engine/ops/int8_pack.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace edgegate {

void PackInt8Block(const float* rows, int count, int k, int8_t* packed, float* scale,
                   int32_t* column_sum) {
  const int k_padded = Int8Padded(k);
  std::memset(packed, 0, size_t{64} * k_padded);
  for (int n = 0; n < 64; ++n) {
    scale[n] = 0;
    column_sum[n] = 0;
    if (n >= count) continue;
    const float* row = rows + int64_t{n} * k;
    float largest = 0;
    for (int i = 0; i < k; ++i) largest = std::max(largest, std::fabs(row[i]));
    // A row too small for the reciprocal to be finite contributes nothing that float could show.
    if (largest < 1e-35f) continue;
    scale[n] = largest / 127.0f;
    const float inverse = 127.0f / largest;
    int32_t sum = 0;
    for (int i = 0; i < k; ++i) {
      int value = std::clamp(static_cast<int>(std::nearbyintf(row[i] * inverse)), -127, 127);
      packed[(int64_t{i / 4} * 64 + n) * 4 + i % 4] = static_cast<int8_t>(value);
      sum += value;
    }
    column_sum[n] = sum;
  }
}

}  // namespace edgegate
