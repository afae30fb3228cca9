#include "engine/ops/linear/int4/pack.h"

#include <algorithm>
#include <cstring>

#include "engine/base/half.h"

namespace edgegate {

void PackInt4Block(const Int4Group* rows, int count, int k, int group, uint8_t* packed) {
  const int parts = Int4Groups(k), wide = group / kInt4Group;
  std::memset(packed, 0, static_cast<size_t>(Int4PackedBytes(kInt8Block, k, group)));
  for (int first = 0; first < parts; first += wide, packed += Int4GroupBytes(group)) {
    uint8_t* scales = packed + wide * kInt4LevelBytes;
    for (int n = 0; n < count; ++n) {
      const Int4Group* from = rows + int64_t{n} * parts + first;
      for (int part = 0; part < std::min(wide, parts - first); ++part) {
        uint8_t* levels = packed + part * kInt4LevelBytes;
        for (int quad = 0; quad < kInt4Group / 8; ++quad) {
          std::memcpy(levels + (quad * kInt8Block + n) * 4, from[part].q + 4 * quad, 4);
        }
      }
      std::memcpy(scales + 2 * n, &from->scale, 2);
      std::memcpy(scales + 2 * (kInt8Block + n), &from->minimum, 2);
    }
  }
}

float UnpackInt4(const Int4Linear& w, int n, int k) {
  const int column = n % kInt8Block, i = k % kInt4Group, half = kInt4Group / 2;
  const uint8_t* group =
      w.packed + (int64_t{n} / kInt8Block * w.groups() + k / w.group) * Int4GroupBytes(w.group);
  const uint8_t* levels = group + k % w.group / kInt4Group * kInt4LevelBytes;
  const uint8_t* scales = group + w.group / kInt4Group * kInt4LevelBytes;
  const uint8_t byte = levels[(i % half / 4 * kInt8Block + column) * 4 + i % 4];
  uint16_t scale, minimum;
  std::memcpy(&scale, scales + 2 * column, 2);
  std::memcpy(&minimum, scales + 2 * (kInt8Block + column), 2);
  const int level = i < half ? byte & 15 : byte >> 4;
  return F16ToFloat(scale) * static_cast<float>(level) + F16ToFloat(minimum);
}

}  // namespace edgegate
