#include <algorithm>

#include "engine/ops/linear/int8/kernel.h"

namespace edgegate {

void Int8TileReference(const Int8Rows& rows, int first, int count, const int8_t* block, int quads,
                       int32_t* acc) {
  std::fill_n(acc, count * 64, 0);
  for (int r = 0; r < count; ++r) {
    const uint8_t* row = rows.u8 + (first + r) * rows.stride;
    for (int q = 0; q < quads; ++q) {
      const int8_t* weights = block + size_t{256} * q;
      for (int c = 0; c < 64; ++c) {
        for (int i = 0; i < 4; ++i) acc[r * 64 + c] += row[4 * q + i] * weights[4 * c + i];
      }
    }
  }
}

}  // namespace edgegate
