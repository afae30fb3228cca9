// Symmetric INT8 quantization of weight rows, with one scale for each output, into the layout of
// weights.h.
#pragma once

#include <cstdint>

#include "engine/ops/linear/int8/weights.h"

namespace edgegate {

// Returns the number of bytes of a packed [n][k] matrix.
inline int64_t PackedBytes(int n, int k) { return int64_t{Int8Padded(n)} * Int8Padded(k); }

// Quantizes and packs one block of 64 output rows to PackedBytes(64, k) bytes of a packed matrix.
// `rows` is float [count][k], count <= 64. Rows that do not exist are zero. Writes packed, s8
// [k_padded / 4][64][4] in [-127, 127]; scale, float [64]; and column_sum, s32 [64]. scale = max|w|
// / 127. Values are rounded to nearest even. A row of zeros has scale 0. Thread-safe.
void PackInt8Block(const float* rows, int count, int k, int8_t* packed, float* scale,
                   int32_t* column_sum);

}  // namespace edgegate
