// 4-bit quantization of weight rows, and the packed layout that int4_weights.h describes.
#pragma once

#include <cstdint>

#include "engine/ops/int4_weights.h"

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

// Chooses scale, minimum and levels of a group of `count` <= 32 finite weights so that
//   sum over i of importance[i] * (w[i] - w'[i])^2
// is small; `importance` is not negative: the mean square of the input that meets the weight. A
// search over step sizes, each with the least-squares scale and minimum for its levels (as
// llama.cpp's make_qkx2_quants), judged after rounding both to f16. Levels past `count` are 0.
// Weights beyond f16's range are clamped to it.
Int4Group QuantizeInt4Group(const float* w, const float* importance, int count);

}  // namespace edgegate
