// The packed layout that int4_weights.h describes.
#pragma once

#include <cstdint>

#include "engine/ops/linear/int4/weights.h"

namespace edgegate {

// Bytes of a packed [n][k] matrix in groups of `group`.
inline int64_t Int4PackedBytes(int n, int k, int group) {
  return int64_t{Int8Blocks(n)} * ((k + group - 1) / group) * Int4GroupBytes(group);
}

// Packs one block of up to 64 rows, [count][Int4Groups(k)]: the `block`-th
// Int4PackedBytes(64, k, group) bytes of a packed matrix. The block's missing rows are zero. Of the
// two that make a wide group the first gives scale and minimum.
void PackInt4Block(const Int4Group* rows, int count, int k, int group, uint8_t* packed);

// Weight (row `n`, column `k`), as float computes it.
float UnpackInt4(const Int4Linear& w, int n, int k);

}  // namespace edgegate
