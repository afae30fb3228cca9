// The inner kernel of INT8 linear layers: rows of u8 activations times one 64-column block of
// packed s8 weights (layout in int8_weights.h), to exact s32. Every variant, and the reference,
// give the same integers.
#pragma once

#include <cstddef>
#include <cstdint>

namespace edgegate {

// Rows of activations as the kernels read them: `u8` always; `s16`, the same values widened, where
// the kernel wants it. Both are [rows][stride], the columns past k zero up to a multiple
// of 64.
struct Int8Rows {
  const uint8_t* u8 = nullptr;
  const int16_t* s16 = nullptr;
  size_t stride = 0;
};

// One kernel variant. acc[r * 64 + c] = sum over k of rows(first + r, k) * block(k, c), for
// r < count <= max_rows; `quads` is k_padded / 4.
struct Int8Kernel {
  void (*tile)(const Int8Rows& rows, int first, int count, const int8_t* block, int quads,
               int32_t* acc);
  int max_rows;
  bool wants_s16;
  const char* name;
};

// The fastest variant for CurrentIsa(). Thread-safe.
Int8Kernel SelectInt8Kernel();

// The slow truth.
void Int8TileReference(const Int8Rows& rows, int first, int count, const int8_t* block, int quads,
                       int32_t* acc);

}  // namespace edgegate
