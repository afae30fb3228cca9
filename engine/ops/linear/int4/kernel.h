// The kernels of 4-bit linear layers. They multiply rows of s8 activations, in groups of 32 or 64,
// by one 64-column block of packed weights (layout in weights.h), to float. The products within a
// group are exact integers. Each (row, column) adds its groups in their order, with fused
// multiply-adds. So all kernels give the same bits, for any number of rows in a call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/ops/isa/kernel_table.h"

namespace edgegate {

// Rows of quantized activations in groups: x[i] is about scale * s8[i]. A view: the caller owns the
// memory. The minimum of the weights is multiplied by the sum of a group's activations, as in
// llama.cpp's Q8_1.
struct Int4Rows {
  struct Terms {
    float scale;
    float sum;  // scale * sum of the group's s8
  };
  const int8_t* s8 = nullptr;    // [rows][stride], in [-127, 127], zero from k on
  const Terms* terms = nullptr;  // [rows][stride / group]
  size_t stride = 0;             // k rounded up to a multiple of group
  int group = 32;                // equal to that of the weights

  const Terms* row_terms(int row) const { return terms + row * (stride / group); }
};

// A row of the kernel table. `groups` is the number of groups of `block`, each of rows.group
// weights. tile() computes sums[r * 64 + c], float, for r < count <= max_rows and c < 64. A sum
// starts at zero, and then each group adds
//   sums = fma(scale[c] * row's scale, float(sum over i of s8[i] * level(c, i)), sums)
//   sums = fma(minimum[c], row's sum, sums)
// Thread-safe.
struct Int4Kernel {
  static constexpr int kMaxRows = 32;  // the largest max_rows

  KernelTarget target;
  int max_rows;   // most rows of a tile
  int many_rows;  // rows of the fastest tile if the block is in a cache (large batches)
  void (*tile)(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
               float* sums);
};

// Returns all kernels that were compiled, from the fastest to the slowest.
std::span<const Int4Kernel> Int4Kernels();

// Returns the fastest kernel of the current level (SetIsaCap()). Thread-safe.
const Int4Kernel& SelectInt4Kernel();

// Computes a tile with plain loops. This is the kernel for every processor, and the reference of
// the tests.
void Int4TileReference(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
                       float* sums);

#if defined(__x86_64__)
// Kernels for processors without VNNI.
void Int4TileAvx2(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
                  float* sums);
void Int4TileSse4(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
                  float* sums);
#elif defined(__aarch64__)
// The kernels for ARM.
void Int4TileNeon(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
                  float* sums);
void Int4TileDotprod(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
                     float* sums);
void Int4TileI8mm(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
                  float* sums);
#endif

}  // namespace edgegate
