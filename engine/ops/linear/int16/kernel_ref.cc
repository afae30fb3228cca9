#include "engine/ops/linear/int16/kernel.h"
#include "engine/ops/linear/int16/weights.h"

namespace edgegate {

void Int16TileReference(const Int16RowsView& rows, int first, int count, const Int16Block& block,
                        float* sums) {
  for (int r = 0; r < count; ++r) {
    const int16_t* x = rows.levels + (first + r) * rows.stride;
    for (int c = 0; c < kInt8Block; ++c) {
      float total = 0;
      for (int g = 0; g < block.groups; ++g) {
        int32_t sum = 0;
        for (int i = g * kInt16Group; i < (g + 1) * kInt16Group; ++i) {
          sum += x[i] * block.levels[(int64_t{i / 2} * kInt8Block + c) * 2 + i % 2];
        }
        total += static_cast<float>(sum);
      }
      sums[r * kInt8Block + c] = total * (rows.scale[first + r] * block.scale[c]);
    }
  }
}

}  // namespace edgegate
