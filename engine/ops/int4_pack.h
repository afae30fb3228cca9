// The packed layout that int4_weights.h describes.
#pragma once

#include <cstdint>

#include "engine/ops/int4_weights.h"

namespace edgegate {

// Bytes of a packed [n][k] matrix.
inline int64_t Int4PackedBytes(int n, int k) {
  return int64_t{Int8Blocks(n)} * Int4Groups(k) * kInt4GroupBytes;
}

// Packs one block of up to 64 rows, [count][groups]: the `block`-th Int4PackedBytes(64, k) bytes of
// a packed matrix. The block's missing rows are zero.
void PackInt4Block(const Int4Group* rows, int count, int groups, uint8_t* packed);

// Weight (row `n`, column `k`) of a packed matrix of `groups` groups, as float computes it.
float UnpackInt4(const uint8_t* packed, int groups, int n, int k);

}  // namespace edgegate
