// The INT16 weights of a linear layer in the layout that the kernels read.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/ops/linear/int8/weights.h"

namespace edgegate {

// Number of products that are summed in s32. K is padded to groups of this size.
inline constexpr int kInt16Group = 64;
// Largest magnitudes of the levels. A group's sum fits s32.
inline constexpr int kInt16WeightLevel = 4095;
inline constexpr int kInt16ActivationLevel = 8191;
static_assert(int64_t{kInt16WeightLevel} * kInt16ActivationLevel * kInt16Group <= INT32_MAX);

constexpr int Int16Groups(int k) { return (k + kInt16Group - 1) / kInt16Group; }

// A linear layer y[n] = sum_k x[k] w[n][k] + bias[n]. A view: the memory belongs to a bundle or an
// arena and must outlive every user.
//
// `packed` holds s16 levels, 64-byte aligned. K and N are padded with zeros to multiples of 64. A
// block of 64 columns is [k_padded / 2][64][2], so that the two levels of one (pair of k, column)
// are adjacent. w[n][k] is about scale[n] * level(k, n).
struct Int16Linear {
  int k = 0;
  int n = 0;
  const int16_t* packed = nullptr;
  const float* scale = nullptr;  // [n_padded()], zero in the padding
  const float* bias = nullptr;   // [n_padded()], or null

  int n_padded() const { return Int8Padded(n); }
  int groups() const { return Int16Groups(k); }
  int64_t block_levels() const { return int64_t{groups()} * kInt16Group * kInt8Block; }
  int64_t levels() const { return block_levels() * Int8Blocks(n); }
  int64_t bytes() const { return levels() * int64_t{sizeof *packed}; }  // of `packed`
};

}  // namespace edgegate
