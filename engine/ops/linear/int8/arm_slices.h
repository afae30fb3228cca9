// The order in which ARM's INT8 kernels read a block of weights.
#pragma once

#if defined(__aarch64__)

#include <type_traits>

#include "engine/ops/isa/arm_dot.h"
#include "engine/ops/linear/int8/weights.h"

namespace edgegate {

// Calls add(fetches, column, begin, end) for each slice of `slice` quads and each kColumns columns.
// `first` is the first row of the tile. `fetches` is std::true_type if the call must prefetch the
// block: only the first columns' calls of row 0 do.
template <int kColumns, class Add>
EG_ARM_INLINE void ForEachSlice(int first, int quads, int slice, const Add& add) {
  for (int begin = 0; begin < quads; begin += slice) {
    const int end = begin + slice < quads ? begin + slice : quads;
    for (int column = 0; column < kInt8Block; column += kColumns) {
      first == 0 && column == 0 ? add(std::true_type(), column, begin, end)
                                : add(std::false_type(), column, begin, end);
    }
  }
}

// The quads of a slice that stays in the first-level cache. The slices of the first rows have 4
// KiB, which were all prefetched before.
constexpr int CachedSlice(int first) { return first == 0 ? 16 : 32; }

}  // namespace edgegate

#endif
