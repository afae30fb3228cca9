// Symmetric INT8 quantization of weight rows, one scale for each output, into the layout of
// weights.h.
#pragma once

#include <cstdint>

#include "engine/ops/linear/int8/weights.h"

namespace edgegate {

// Bytes of a packed [n][k] matrix.
inline int64_t PackedBytes(int n, int k) { return int64_t{Int8Padded(n)} * Int8Padded(k); }

// Quantizes and packs one block of 64 output rows: PackedBytes(64, k) bytes of a packed matrix.
// `rows`: [count][k] float, count <= 64; missing rows are zero. Writes packed: [k_padded /
// 4][64][4] s8 in [-127, 127]; scale[64] and column_sum[64]. scale = max|w| / 127. Values are
// rounded to nearest even. A zero row has scale 0. Thread-safe.
void PackInt8Block(const float* rows, int count, int k, int8_t* packed, float* scale,
                   int32_t* column_sum);

}  // namespace edgegate
