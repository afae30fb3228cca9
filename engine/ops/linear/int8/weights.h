// The INT8 weights of a linear layer in the layout that the kernels read.
#pragma once

#include <cstdint>

namespace edgegate {

// K and N of packed weights are padded to blocks of this size.
inline constexpr int kInt8Block = 64;

constexpr int Int8Blocks(int n) { return (n + kInt8Block - 1) / kInt8Block; }
constexpr int Int8Padded(int n) { return Int8Blocks(n) * kInt8Block; }

// A linear layer y[n] = sum_k x[k] w[n][k] + bias[n] with INT8 weights. A view: the memory belongs
// to a bundle or an arena and must outlive every user.
//
// `packed` holds s8 in [-127, 127] in the layout that oneDNN calls BA16a64b4a, 64-byte aligned. K
// and N are padded with zeros to multiples of 64. An N-block of 64 columns is [k_padded /
// 4][64][4], so that the four bytes of one (quad of k, column) are adjacent. Byte of (k, n):
//   ((n / 64 * (k_padded / 4) + k / 4) * 64 + n % 64) * 4 + k % 4
// w[n][k] is about scale[n] * packed(k, n).
struct Int8Linear {
  int k = 0;
  int n = 0;
  const int8_t* packed = nullptr;
  const float* scale = nullptr;         // [n_padded()], zero in the padding
  const int32_t* column_sum = nullptr;  // [n_padded()]: sum over k of packed(k, n)
  const float* bias = nullptr;          // [n_padded()], or null

  int k_padded() const { return Int8Padded(k); }
  int n_padded() const { return Int8Padded(n); }
  int64_t bytes() const { return int64_t{n_padded()} * k_padded(); }  // of `packed`
};

// Number of bytes that kernels prefetch ahead for their first rows. Weights are read from memory
// sequentially, but the processor's own prefetchers stop at the end of a page. A prefetch past the
// last block does not fault. The distances are measured (tests/bench/kernels.cc): the larger one is
// for vectors of 512 bits.
inline constexpr int kFetchAhead = 1536, kFetchAhead512 = 4096;

}  // namespace edgegate
