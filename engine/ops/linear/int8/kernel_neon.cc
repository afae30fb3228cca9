// The kernel for ARMv8.0, which has no dot products of bytes. Two products of signed bytes are
// summed in s16, so that the activations are u8 - 128.

#if defined(__aarch64__)

#include <algorithm>

#include "engine/ops/isa/arm_dot.h"
#include "engine/ops/linear/int8/arm_slices.h"
#include "engine/ops/linear/int8/kernel.h"
#include "engine/ops/linear/int8/weights.h"

namespace edgegate {
namespace {

constexpr int kLanes = 4;                   // columns of a vector of weights
constexpr int kStep = 4;                    // quads of a vector of activations
constexpr int kQuadBytes = 4 * kInt8Block;  // one quad of all columns
static_assert(2 * 128 * 127 <= 32767, "two products fit s16, because no weight is -128");

// The sums of four columns. Each column has two lanes.
struct Sums {
  int32x4_t low, high;
};

// Adds the products of quads kLane and kLane + 1 of the activations `x`. Fetches later quads of the
// block if kFetch.
template <int kLane, bool kFetch, int kRows, int kVecs>
EG_ARM_INLINE void AddQuads(const int8_t* weights, const int8x16_t (&x)[kRows],
                            Sums (&acc)[kRows][kVecs]) {
  if (kFetch) FetchLines<kFetchAhead + kLane * kQuadBytes>(weights);
  if (kFetch) FetchLines<kFetchAhead + (kLane + 1) * kQuadBytes>(weights);
  int8x16_t first[kRows], second[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    const int32x4_t quads = vreinterpretq_s32_s8(x[r]);
    first[r] = vreinterpretq_s8_s32(vdupq_laneq_s32(quads, kLane));
    second[r] = vreinterpretq_s8_s32(vdupq_laneq_s32(quads, kLane + 1));
  }
#pragma GCC unroll 16
  for (int v = 0; v < kVecs; ++v) {
    const int8_t* from = weights + kLane * kQuadBytes + 4 * kLanes * v;
    const int8x16_t a = vld1q_s8(from), b = vld1q_s8(from + kQuadBytes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      int16x8_t low = vmull_s8(vget_low_s8(a), vget_low_s8(first[r]));
      low = vmlal_s8(low, vget_low_s8(b), vget_low_s8(second[r]));
      acc[r][v].low = vpadalq_s16(acc[r][v].low, low);
      int16x8_t high = vmull_high_s8(a, first[r]);
      high = vmlal_high_s8(high, b, second[r]);
      acc[r][v].high = vpadalq_s16(acc[r][v].high, high);
    }
    EndOfLoads();
  }
}

// Adds to `sums` [kRows][64] the products of quads [begin, end), a multiple of kStep, of kRows rows
// and kVecs vectors of columns, from column `column` on.
template <int kRows, int kVecs, bool kFetch>
EG_ARM_INLINE void AddSlice(const Int8Rows& rows, int first, const int8_t* block, int column,
                            int begin, int end, int32_t* sums) {
  Sums acc[kRows][kVecs];
#pragma GCC unroll 16
  for (int i = 0; i < kRows * kVecs; ++i) {
    acc[i / kVecs][i % kVecs] = {vdupq_n_s32(0), vdupq_n_s32(0)};
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
    AddQuads<0, kFetch>(weights, x, acc);
    AddQuads<2, kFetch>(weights, x, acc);
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows * kVecs; ++i) {
    const Sums& of = acc[i / kVecs][i % kVecs];
    int32_t* to = sums + i / kVecs * kInt8Block + column + i % kVecs * kLanes;
    vst1q_s32(to, vaddq_s32(vld1q_s32(to), vpaddq_s32(of.low, of.high)));
  }
}

// Computes all 64 columns for kRows rows. The block is read in slices of k.
template <int kRows, int kVecs>
void Rows(const Int8Rows& rows, int first, const int8_t* block, int quads, int32_t* acc) {
  std::fill_n(acc, kRows * kInt8Block, 0);
  const auto add = [&](auto fetches, int column, int begin, int end) {
    AddSlice<kRows, kVecs, fetches()>(rows, first, block, column, begin, end, acc);
  };
  ForEachSlice<kVecs * kLanes>(first, quads, CachedSlice(first), add);
}

}  // namespace

void Int8TileNeon(const Int8Rows& rows, int first, int count, const int8_t* block, int quads,
                  int32_t* acc) {
  // The sizes are chosen so that the sums, the activations and the weights fit 32 registers.
  static constexpr decltype(&Rows<1, 8>) kTiles[] = {Rows<1, 8>, Rows<2, 4>, Rows<3, 2>,
                                                     Rows<4, 2>};
  kTiles[count - 1](rows, first, block, quads, acc);
}

}  // namespace edgegate

#endif
