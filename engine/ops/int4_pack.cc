#include "engine/ops/int4_pack.h"

#include <cstring>

#include "engine/base/half.h"

namespace edgegate {

void PackInt4Block(const Int4Group* rows, int count, int groups, uint8_t* packed) {
  std::memset(packed, 0, size_t{1} * groups * kInt4GroupBytes);
  for (int g = 0; g < groups; ++g, packed += kInt4GroupBytes) {
    uint8_t* scales = packed + kInt4LevelBytes;
    for (int n = 0; n < count; ++n) {
      const Int4Group& group = rows[int64_t{n} * groups + g];
      for (int quad = 0; quad < kInt4Group / 8; ++quad) {
        std::memcpy(packed + (quad * kInt8Block + n) * 4, group.q + 4 * quad, 4);
      }
      std::memcpy(scales + 2 * n, &group.scale, 2);
      std::memcpy(scales + 2 * (kInt8Block + n), &group.minimum, 2);
    }
  }
}

float UnpackInt4(const uint8_t* packed, int groups, int n, int k) {
  const uint8_t* group =
      packed + (int64_t{n} / kInt8Block * groups + k / kInt4Group) * kInt4GroupBytes;
  const int column = n % kInt8Block, i = k % kInt4Group, half = kInt4Group / 2;
  const uint8_t byte = group[(i % half / 4 * kInt8Block + column) * 4 + i % 4];
  uint16_t scale, minimum;
  std::memcpy(&scale, group + kInt4LevelBytes + 2 * column, 2);
  std::memcpy(&minimum, group + kInt4LevelBytes + 2 * (kInt8Block + column), 2);
  const int level = i < half ? byte & 15 : byte >> 4;
  return F16ToFloat(scale) * static_cast<float>(level) + F16ToFloat(minimum);
}

}  // namespace edgegate
