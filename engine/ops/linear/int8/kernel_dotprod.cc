// The kernel for ARM's dot product instruction. It multiplies signed bytes, so that the activations
// are u8 - 128.

#if defined(__aarch64__)

#include "engine/ops/isa/arm_dot.h"
#include "engine/ops/linear/int8/arm_slices.h"
#include "engine/ops/linear/int8/kernel.h"
#include "engine/ops/linear/int8/weights.h"

namespace edgegate {
namespace {

constexpr int kLanes = 4;                   // columns of a vector
constexpr int kStep = 4;                    // quads of a vector of activations
constexpr int kQuadBytes = 4 * kInt8Block;  // one quad of all columns

// Adds the products of quad kLane of the activations `x`. Fetches a later quad of the block if
// kFetch.
template <int kLane, bool kFetch, int kRows, int kVecs>
EG_ARM_INLINE void AddQuad(const int8_t* weights, const int8x16_t (&x)[kRows],
                           int32x4_t (&acc)[kRows][kVecs]) {
  if (kFetch) FetchLines<kFetchAhead + kLane * kQuadBytes>(weights);
#pragma GCC unroll 16
  for (int v = 0; v < kVecs; ++v) {
    const int8x16_t w = vld1q_s8(weights + kLane * kQuadBytes + 4 * kLanes * v);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) acc[r][v] = SdotLane<kLane>(acc[r][v], w, x[r]);
  }
  EndOfLoads();
}

// Computes kVecs vectors of columns from column `column` on, for kRows rows, over quads [begin,
// end), a multiple of kStep. Adds to `sums` [kRows][64], or overwrites it if `begin` is 0.
template <int kRows, int kVecs, bool kFetch>
EG_ARM_INLINE void AddSlice(const Int8Rows& rows, int first, const int8_t* block, int column,
                            int begin, int end, int32_t* sums) {
  int32x4_t acc[kRows][kVecs];
  int32_t* out = sums + column;
#pragma GCC unroll 16
  for (int i = 0; i < kRows * kVecs; ++i) {
    const int32_t* from = out + i / kVecs * kInt8Block + i % kVecs * kLanes;
    acc[i / kVecs][i % kVecs] = begin == 0 ? vdupq_n_s32(0) : vld1q_s32(from);
  }
  const uint8_t* u8 = rows.u8 + first * rows.stride;
  const int8_t* weights = block + 4 * column + size_t{kQuadBytes} * begin;
#pragma GCC unroll 1
  for (int quad = begin; quad < end; quad += kStep, weights += kStep * kQuadBytes) {
    int8x16_t x[kRows];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const uint8x16_t bytes = vld1q_u8(u8 + r * rows.stride + 4 * quad);
      x[r] = vreinterpretq_s8_u8(veorq_u8(bytes, vdupq_n_u8(0x80)));
    }
    AddQuad<0, kFetch>(weights, x, acc);
    AddQuad<1, kFetch>(weights, x, acc);
    AddQuad<2, kFetch>(weights, x, acc);
    AddQuad<3, kFetch>(weights, x, acc);
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows * kVecs; ++i) {
    vst1q_s32(out + i / kVecs * kInt8Block + i % kVecs * kLanes, acc[i / kVecs][i % kVecs]);
  }
}

// Computes all 64 columns for kRows rows. If the sums do not fit the registers, the block is read
// in slices of k.
template <int kRows, int kVecs>
void Rows(const Int8Rows& rows, int first, const int8_t* block, int quads, int32_t* acc) {
  constexpr int kColumns = kVecs * kLanes;
  const int slice = kColumns == kInt8Block ? quads : CachedSlice(first);
  ForEachSlice<kColumns>(first, quads, slice, [&](auto fetches, int column, int begin, int end) {
    AddSlice<kRows, kVecs, fetches()>(rows, first, block, column, begin, end, acc);
  });
}

}  // namespace

void Int8TileDotprod(const Int8Rows& rows, int first, int count, const int8_t* block, int quads,
                     int32_t* acc) {
  // The sizes are chosen so that the sums, the activations and the weights fit 32 registers.
  static constexpr decltype(&Rows<1, 16>) kTiles[] = {Rows<1, 16>, Rows<2, 8>, Rows<3, 4>,
                                                      Rows<4, 4>,  Rows<5, 2>, Rows<6, 2>,
                                                      Rows<7, 2>,  Rows<8, 2>};
  kTiles[count - 1](rows, first, block, quads, acc);
}

}  // namespace edgegate

#endif
