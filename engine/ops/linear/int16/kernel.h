// The kernels of INT16 layers. The sum of a group is exact. Each (row, column) adds the groups in
// their order. So all kernels give the same bits, for any number of rows in a call.
#pragma once

#include <cstdint>
#include <span>

#include "engine/ops/isa/kernel_table.h"
#include "engine/ops/linear/int16/rows.h"

namespace edgegate {

// Rounds `count` values to levels of at most `most` in magnitude: value / scale, to nearest, ties
// to even. Sets the levels from `count` to `padded` to zero. The scale is the largest magnitude
// divided by `most`. It is zero if that is below 1e-35, and NaN if a value is not finite or above
// 1e35; then all levels are zero. Thread-safe.
void RoundToInt16(const float* values, int count, int padded, int most, int16_t* levels,
                  float* scale);

// One block of 64 columns of the packed weights.
struct Int16Block {
  const int16_t* levels = nullptr;  // [groups * kInt16Group / 2][64][2]
  const float* scale = nullptr;     // [64]
  int groups = 0;
};

// A row of the kernel table. tile() computes sums[r * 64 + c], float, for r < count <= kMaxRows and
// c < 64: the sum over the groups of float(sum over i of level(r, i) * level(c, i)), times (row's
// scale * column's scale). Thread-safe.
struct Int16Kernel {
  static constexpr int kMaxRows = 24;

  KernelTarget target;
  void (*tile)(const Int16RowsView& rows, int first, int count, const Int16Block& block,
               float* sums);
};

// Returns all kernels that were compiled, from the fastest to the slowest.
std::span<const Int16Kernel> Int16Kernels();

// Returns the fastest kernel of the current level. Thread-safe.
const Int16Kernel& SelectInt16Kernel();

// Computes a tile with plain loops: the reference of the tests.
void Int16TileReference(const Int16RowsView& rows, int first, int count, const Int16Block& block,
                        float* sums);

}  // namespace edgegate
