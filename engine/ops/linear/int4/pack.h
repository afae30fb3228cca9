// Packs groups into the layout of weights.h.
#pragma once

#include <cstdint>

#include "engine/ops/linear/int4/weights.h"

namespace edgegate {

// Returns the number of bytes of a packed [n][k] matrix in groups of `group` weights.
inline int64_t Int4PackedBytes(int n, int k, int group) {
  return int64_t{Int8Blocks(n)} * ((k + group - 1) / group) * Int4GroupBytes(group);
}

// Packs one block of up to 64 rows, [count][Int4Groups(k)], to Int4PackedBytes(64, k, group) bytes
// of a packed matrix. Fills rows that do not exist with zeros. A group of 64 takes scale and
// minimum of the first of its two Int4Groups. Thread-safe.
void PackInt4Block(const Int4Group* rows, int count, int k, int group, uint8_t* packed);

// Returns the weight of row `n` and column `k`, computed in float.
float UnpackInt4(const Int4Linear& w, int n, int k);

}  // namespace edgegate
