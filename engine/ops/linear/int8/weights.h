// The INT8 weights of a linear layer as the kernels read them. A view: the memory belongs to a
// bundle or an arena and must outlive every user.
#pragma once

#include <cstdint>

namespace edgegate {

// K and N of packed weights are padded to blocks of this many.
inline constexpr int kInt8Block = 64;

constexpr int Int8Blocks(int n) { return (n + kInt8Block - 1) / kInt8Block; }
constexpr int Int8Padded(int n) { return Int8Blocks(n) * kInt8Block; }

// A linear layer y[n] = sum_k x[k] w[n][k] + bias[n] with INT8 weights.
//
// `packed` holds s8 in [-127, 127] in the layout that oneDNN calls BA16a64b4a, K and N padded with
// zeros to multiples of 64: N-blocks of 64 columns; each [k_padded / 4][64][4], so the four bytes
// of one (quad of k, column) are adjacent. Byte of (k, n):
//   ((n / 64 * (k_padded / 4) + k / 4) * 64 + n % 64) * 4 + k % 4
// 64-byte aligned. w[n][k] is about scale[n] * packed(k, n).
struct Int8Linear {
  int k = 0;
  int n = 0;
  const int8_t* packed = nullptr;
  const float* scale = nullptr;         // [n_padded()], zero in the padding
  const int32_t* column_sum = nullptr;  // [n_padded()]: sum over k of packed(k, n)
  const float* bias = nullptr;          // [n_padded()], or null

  int k_padded() const { return Int8Padded(k); }
  int n_padded() const { return Int8Padded(n); }
};

// Bytes that kernels prefetch ahead for their first rows. Weights are read from memory
// sequentially, but the processor's own prefetchers stop at the end of a page. A prefetch past the
// last block does not fault.
inline constexpr int kFetchAhead = 4096;

}  // namespace edgegate
