// The kernel for ARM's dot product instruction. The levels, 0 to 15, are also signed bytes.

#if defined(__aarch64__)

#include <cstring>

#include "engine/ops/linear/int4/arm_group.h"

namespace edgegate {
namespace {

constexpr int kLanes = 4;                   // columns of a vector
constexpr int kQuadBytes = 4 * kInt8Block;  // one quad of all columns

// Adds the products of quad kQuad of 32 levels. `low` and `high` are the activations of the halves.
template <int kQuad, int kRows, int kVecs>
EG_ARM_INLINE void AddQuad(const uint8_t* levels, const int8x16_t (&low)[kRows],
                           const int8x16_t (&high)[kRows], int32x4_t (&dots)[kRows][kVecs]) {
#pragma GCC unroll 16
  for (int v = 0; v < kVecs; ++v) {
    const ArmLevels w = LoadLevels(levels + kQuad * kQuadBytes + 4 * kLanes * v);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) dots[r][v] = SdotLane<kQuad>(dots[r][v], w.low, low[r]);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) dots[r][v] = SdotLane<kQuad>(dots[r][v], w.high, high[r]);
    EndOfLoads();
  }
}

// Computes one group of kRows rows and kVecs vectors of columns, from column `column` on, and adds
// it to `sums` [kRows][64]. A group has kParts parts of 32 levels.
template <int kRows, int kVecs, int kParts>
EG_ARM_INLINE void AddGroup(const int8_t* x, size_t stride, const Int4Rows::Terms* const* terms,
                            int group, const uint8_t* block, int column, float* sums) {
  int32x4_t dots[kRows][kVecs];
#pragma GCC unroll 16
  for (int i = 0; i < kRows * kVecs; ++i) dots[i / kVecs][i % kVecs] = vdupq_n_s32(0);
#pragma GCC unroll 2
  for (int part = 0; part < kParts; ++part) {
    int8x16_t low[kRows], high[kRows];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const int8_t* from = x + r * stride + part * kInt4Group;
      low[r] = vld1q_s8(from);
      high[r] = vld1q_s8(from + kInt4Group / 2);
    }
    const uint8_t* levels = block + part * kInt4LevelBytes + 4 * column;
    AddQuad<0>(levels, low, high, dots);
    AddQuad<1>(levels, low, high, dots);
    AddQuad<2>(levels, low, high, dots);
    AddQuad<3>(levels, low, high, dots);
  }
  float32x2_t of_rows[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) of_rows[r] = LoadTerms(terms[r][group]);
  EndOfLoads();
  const uint8_t* halves = block + kParts * kInt4LevelBytes;
#pragma GCC unroll 16
  for (int v = 0; v < kVecs; ++v) {
    const ArmScales scales = LoadScales(halves, column + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      AddGroupTerms(scales, of_rows[r], dots[r][v], sums + r * kInt8Block + column + v * kLanes);
    }
  }
}

// Computes all 64 columns for kRows rows. The sums stay in the first-level cache, so that the
// registers can hold the products of many rows.
template <int kRows, int kVecs, int kParts>
void Groups(const Int4Rows& rows, int first, const uint8_t* block, int groups, float* sums) {
  constexpr int kGroup = kParts * kInt4Group, kBytes = Int4GroupBytes(kGroup);
  const size_t stride = rows.stride;
  const int8_t* x = rows.s8 + first * stride;
  const Int4Rows::Terms* terms[kRows];
  for (int r = 0; r < kRows; ++r) terms[r] = rows.row_terms(first + r);
  std::memset(sums, 0, sizeof(float) * kRows * kInt8Block);
  for (int g = 0; g < groups; ++g, block += kBytes, x += kGroup) {
    if (first == 0) {
      for (int i = 0; i < kBytes; i += 64) __builtin_prefetch(block + kFetchAhead + i);
    }
    for (int column = 0; column < kInt8Block; column += kLanes * kVecs) {
      AddGroup<kRows, kVecs, kParts>(x, stride, terms, g, block, column, sums);
    }
  }
}

template <int kRows, int kVecs>
void Rows(const Int4Rows& rows, int first, const uint8_t* block, int groups, float* sums) {
  rows.group == kInt4Group ? Groups<kRows, kVecs, 1>(rows, first, block, groups, sums)
                           : Groups<kRows, kVecs, 2>(rows, first, block, groups, sums);
}

}  // namespace

void Int4TileDotprod(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
                     float* sums) {
  // The sizes are chosen so that the products, the activations and the levels fit 32 registers.
  static constexpr decltype(&Rows<1, 8>) kTiles[] = {Rows<1, 8>, Rows<2, 8>, Rows<3, 4>,
                                                     Rows<4, 4>, Rows<5, 2>, Rows<6, 2>};
  kTiles[count - 1](rows, first, block, groups, sums);
}

}  // namespace edgegate

#endif
