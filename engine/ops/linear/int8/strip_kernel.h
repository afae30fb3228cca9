// Kernels for many rows, for instruction sets without exact dot products of bytes. They multiply u8
// by s8 bytes with pmaddubsw, which adds two products in s16 and saturates. This takes three
// instructions where products that are widened first take four.
//
// An activation is at most 255. So only two adjacent weights whose sum is more than 128 or less
// than -128 can saturate: 255 * 128 = 32640. In SmolLM2-135M, 0.5 to 2 % of the pairs are such wide
// pairs. They are listed once for each block of weights, and a kernel adds what saturation cut off.
// So the sums are exact.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/ops/linear/int8/weights.h"

namespace edgegate {

// Number of rows of a strip. The activations of a strip are u8 [k_padded / 4][kStripRows][4].
inline constexpr int kStripRows = 16;

// Smallest number of rows of a matrix that strips gain from: listing the wide pairs takes time.
inline constexpr int kMinStripRows = 32;

// Two adjacent weights of a column that can saturate: those of k = 4 * quad + 2 * half and k + 1.
struct WidePair {
  int32_t quad;
  int16_t column;      // in the block
  int16_t half;        // 0 or 1
  int16_t weights[2];  // both in [2, 127], or both in [-127, -2]
};

struct Int8StripKernel {
  const char* name;  // appears in reports

  // Sets `pairs` to the wide pairs of a 64-column block of `quads` quads (weights.h). Returns false
  // if there are so many that strips do not gain: more than one of 16 pairs. Thread-safe.
  bool (*find)(const int8_t* block, int quads, std::vector<WidePair>* pairs);

  // Computes the first `count` rows of a strip, count <= kStripRows:
  //   acc[r * 64 + c] = sum over k of strip(k, r) * block(k, c)
  // `acc` is s32 [kStripRows][64], 64-byte aligned. Reads all rows of the strip. Thread-safe.
  void (*run)(const uint8_t* strip, int count, const int8_t* block, int quads,
              std::span<const WidePair> pairs, int32_t* acc);
};

#if defined(__x86_64__)
extern const Int8StripKernel kInt8StripsAvx2;
extern const Int8StripKernel kInt8StripsSse4;  // SSE4.1
#endif

}  // namespace edgegate
