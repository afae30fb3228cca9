// The 4-bit weights of a linear layer in the layout that the kernels read.
#pragma once

#include <cstdint>

#include "engine/ops/linear/int8/weights.h"

namespace edgegate {

// Number of weights of a row that share a scale and a minimum: 32, as in GGUF's Q4_0 and Q4_1, or
// 64. Groups of 64 need fewer bytes and fewer operations.
inline constexpr int kInt4Group = 32;
inline constexpr int kInt4WideGroup = 64;
constexpr int Int4Groups(int k) { return (k + kInt4Group - 1) / kInt4Group; }

// One group of one row, before packing: w[i] = scale * level(i) + minimum. Scale and minimum are
// f16. Level i is in the low half of byte i, and level i + 16 in its high half. These are the bytes
// of GGUF's Q4_1 block (block_q4_1 in llama.cpp's ggml-common.h). So such a block is kept without
// loss. A group of 64 is two Int4Groups with the same scale and minimum.
struct Int4Group {
  uint16_t scale = 0;
  uint16_t minimum = 0;
  uint8_t q[kInt4Group / 2] = {};

  int level(int i) const { return i < kInt4Group / 2 ? q[i] & 15 : q[i - kInt4Group / 2] >> 4; }
  friend bool operator==(const Int4Group&, const Int4Group&) = default;
};
static_assert(sizeof(Int4Group) == 4 + kInt4Group / 2);

// Number of bytes of 64 columns of 32 levels.
inline constexpr int kInt4LevelBytes = kInt8Block * kInt4Group / 2;
// Returns the number of bytes of 64 columns of a group with its scales and minima.
constexpr int Int4GroupBytes(int group) {
  return group / kInt4Group * kInt4LevelBytes + 4 * kInt8Block;
}

// A linear layer y[n] = sum_k x[k] w[n][k] + bias[n], with w in groups as above. A view: the memory
// belongs to a bundle or an arena and must outlive every user.
//
// `packed`, 64-byte aligned, holds N-blocks of 64 columns, each [groups()][Int4GroupBytes(group)].
// N is padded with zeros. A group holds, for each 32 weights, the levels [4 quads][64 columns][4
// bytes], then f16 scale[64], then f16 minimum[64]. The four bytes of quad q and column c hold
// levels 4q .. 4q + 3 of the 32 in their low halves, and levels 16 + 4q .. 19 + 4q in their high
// halves. So a vector of bytes, masked or shifted, is an operand of vpdpbusd. Levels from k on are
// zero. The kernels read the matrix sequentially.
struct Int4Linear {
  int k = 0;
  int n = 0;
  int group = kInt4Group;  // kInt4Group or kInt4WideGroup
  const uint8_t* packed = nullptr;
  const float* bias = nullptr;  // [n_padded()], or null

  int groups() const { return (k + group - 1) / group; }
  int n_padded() const { return Int8Padded(n); }
  // Returns the number of bytes of `packed`.
  int64_t bytes() const { return int64_t{Int8Blocks(n)} * groups() * Int4GroupBytes(group); }
};

}  // namespace edgegate
