// The kernels of 4-bit linear layers: rows of s8 activations in groups of 32 or 64 times one
// 64-column block of packed weights (layout in weights.h), to float. The products within a group
// are exact integers. Each (row, column) adds its groups in their order, with fused multiply-adds.
// So all kernels give the same bits, for any number of rows in a call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/ops/isa/kernel_table.h"

namespace edgegate {

// Rows of activations in groups, a view: x[i] is about scale * s8[i]. The minimum of the weights is
// multiplied by the sum of a group's activations, as in llama.cpp's Q8_1.
struct Int4Rows {
  struct Terms {
    float scale;
    float sum;  // scale * sum of the group's s8
  };
  const int8_t* s8 = nullptr;    // [rows][stride], in [-127, 127], zero past k
  const Terms* terms = nullptr;  // [rows][stride / group]
  size_t stride = 0;             // k up to a multiple of group
  int group = 32;                // as the weights'

  const Terms* row_terms(int row) const { return terms + row * (stride / group); }
};

// A row of the table. `groups` is the number of groups of `block`, of rows.group weights each.
// tile() computes sums[r * 64 + c] for r < count <= max_rows: zero, and then for each group
//   sums = fma(scale[c] * row's scale, float(sum over i of s8[i] * level(c, i)), sums)
//   sums = fma(minimum[c], row's sum, sums)
struct Int4Kernel {
  KernelTarget target;
  int max_rows;   // of a tile
  int many_rows;  // the fastest tile for long batches, where the block is in a cache
  void (*tile)(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
               float* sums);
};

// All kernels that were compiled, the fastest first.
std::span<const Int4Kernel> Int4Kernels();

// The fastest kernel of the current level. Thread-safe.
const Int4Kernel& SelectInt4Kernel();

// The kernel of every processor, and the reference of the tests: plain loops.
void Int4TileReference(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
                       float* sums);

}  // namespace edgegate
