// The inner kernel of 4-bit linear layers: rows of s8 activations in groups of 32 or 64 times one
// 64-column block of packed weights (layout in int4_weights.h), to float. The products within a
// group are exact integers, and each (row, column) adds its groups in their order, with fused
// multiply-adds: so every variant, the reference, and any number of rows at once give the same
// bits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace edgegate {

// Activations in groups, as the kernels read them: x[i] is about scale * s8[i]. The minimum of the
// weights meets the sum of a group's activations, as in llama.cpp's Q8_1.
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

// One kernel variant; `groups` are those of `block`, of rows.group weights each. sums[r * 64 + c],
// for r < count <= max_rows, is zero and then for each group
//   sums = fma(scale[c] * row's scale, float(sum over i of s8[i] * level(c, i)), sums)
//   sums = fma(minimum[c], row's sum, sums)
struct Int4Kernel {
  void (*tile)(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
               float* sums);
  int max_rows;
  int many_rows;  // the fastest count where there are many rows, and the block is in a cache
  const char* name;
};

// The fastest variant for CurrentIsa(). Thread-safe.
Int4Kernel SelectInt4Kernel();

// The slow truth.
void Int4TileReference(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
                       float* sums);

}  // namespace edgegate
