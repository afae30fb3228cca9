// The kernels of INT8 linear layers: rows of u8 activations times one 64-column block of packed s8
// weights (layout in weights.h), accumulated exactly in s32. All kernels give the same integers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/ops/isa/kernel_table.h"

namespace edgegate {

// Rows of activations, a view: `u8`, and for kernels that read Activations::kS16 the same values
// widened in `s16`. Both are [rows][stride]. The columns from k to the next multiple of 64 are
// zero.
struct Int8Rows {
  const uint8_t* u8 = nullptr;
  const int16_t* s16 = nullptr;
  size_t stride = 0;
};

// A row of the table. tile() computes
//   acc[r * 64 + c] = sum over k of rows(first + r, k) * block(k, c)
// for r < count <= max_rows. `quads` is k_padded / 4.
struct Int8Kernel {
  KernelTarget target;
  int max_rows;  // of a tile
  void (*tile)(const Int8Rows& rows, int first, int count, const int8_t* block, int quads,
               int32_t* acc);

  bool reads_s16() const { return target.activations == Activations::kS16; }
};

// All kernels that were compiled, the fastest first.
std::span<const Int8Kernel> Int8Kernels();

// The fastest kernel of the current level. Thread-safe.
const Int8Kernel& SelectInt8Kernel();

// The kernel of every processor, and the reference of the tests: plain loops.
void Int8TileReference(const Int8Rows& rows, int first, int count, const int8_t* block, int quads,
                       int32_t* acc);

}  // namespace edgegate
