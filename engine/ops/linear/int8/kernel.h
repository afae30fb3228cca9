// The kernels of INT8 linear layers. They multiply rows of u8 activations by one 64-column block of
// packed s8 weights (layout in weights.h), accumulated exactly in s32. All kernels give the same
// integers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/ops/isa/kernel_table.h"
#include "engine/ops/linear/int8/strip_kernel.h"

namespace edgegate {

// Rows of quantized activations. A view: the caller owns the memory. `u8` and `s16` are
// [rows][stride]. `s16` holds the values of `u8` widened, for kernels that read Activations::kS16;
// otherwise it is null. `strips` holds them in strips [stride / 4][kStripRows][4] (strip_kernel.h),
// for kernels that have strips; it is null if there are fewer than kMinStripRows rows. The columns
// from k to the next multiple of 64 are zero.
struct Int8Rows {
  const uint8_t* u8 = nullptr;
  const int16_t* s16 = nullptr;
  size_t stride = 0;
  const uint8_t* strips = nullptr;
};

// A row of the kernel table. tile() computes
//   acc[r * 64 + c] = sum over k of (rows(first + r, k) - offset) * block(k, c)
// for r < count <= max_rows. `quads` is k_padded / 4. Thread-safe.
//
// An offset of 128 makes the activations signed, for instruction sets that have no products of u8
// and s8. Callers subtract the offset from the zero point, so that the result of a layer is the
// same integer.
struct Int8Kernel {
  KernelTarget target;
  int max_rows;  // most rows of a tile
  void (*tile)(const Int8Rows& rows, int first, int count, const int8_t* block, int quads,
               int32_t* acc);
  int32_t offset = 0;                       // 0 or 128
  const Int8StripKernel* strips = nullptr;  // for many rows; null: tile() is as fast

  bool reads_s16() const { return target.activations == Activations::kS16; }
};

// Returns all kernels that were compiled, from the fastest to the slowest.
std::span<const Int8Kernel> Int8Kernels();

// Returns the fastest kernel of the current level (SetIsaCap()). Thread-safe.
const Int8Kernel& SelectInt8Kernel();

// Computes a tile with plain loops. This is the kernel for every processor, and the reference of
// the tests.
void Int8TileReference(const Int8Rows& rows, int first, int count, const int8_t* block, int quads,
                       int32_t* acc);

#if defined(__x86_64__)
// The kernel for SSE4.1.
void Int8TileSse4(const Int8Rows& rows, int first, int count, const int8_t* block, int quads,
                  int32_t* acc);
#elif defined(__aarch64__)
// The kernels for ARM. All have the offset 128.
void Int8TileNeon(const Int8Rows& rows, int first, int count, const int8_t* block, int quads,
                  int32_t* acc);
void Int8TileDotprod(const Int8Rows& rows, int first, int count, const int8_t* block, int quads,
                     int32_t* acc);
void Int8TileI8mm(const Int8Rows& rows, int first, int count, const int8_t* block, int quads,
                  int32_t* acc);
#endif

}  // namespace edgegate
