// The kernel for ARM's matrix products of bytes. An instruction multiplies two rows by two columns.

#if defined(__aarch64__)

#include <algorithm>
#include <cstring>

#include "engine/ops/linear/int4/arm_group.h"

namespace edgegate {
namespace {

constexpr int kLanes = 4;                   // columns of a vector
constexpr int kVecs = 2;                    // vectors of columns that are computed together
constexpr int kQuadBytes = 4 * kInt8Block;  // one quad of all columns
constexpr int kMaxDotRows = 4;              // more rows are faster here than in kernel_dotprod.cc

EG_ARM_INLINE int8x16_t Zip1(int8x16_t a, int8x16_t b) {
  return vreinterpretq_s8_s32(vzip1q_s32(vreinterpretq_s32_s8(a), vreinterpretq_s32_s8(b)));
}
EG_ARM_INLINE int8x16_t Zip2(int8x16_t a, int8x16_t b) {
  return vreinterpretq_s8_s32(vzip2q_s32(vreinterpretq_s32_s8(a), vreinterpretq_s32_s8(b)));
}

// The activations of kPairs pairs of rows over a group: [group / 8][kPairs][2 rows][8 bytes].
template <int kPairs>
struct Pairs {
  alignas(16) int8_t bytes[kInt4WideGroup / 8 * kPairs * 16];

  // Copies `group` activations of each row at `x`. Row `last` follows itself.
  EG_ARM_INLINE void Read(const int8_t* x, size_t stride, int last, int group) {
    int8_t* to = bytes;
    for (int i = 0; i < group; i += 16, to += 2 * kPairs * 16) {
#pragma GCC unroll 4
      for (int p = 0; p < kPairs; ++p) {
        const auto a = vreinterpretq_s64_s8(vld1q_s8(x + 2 * p * stride + i));
        const auto b = vreinterpretq_s64_s8(vld1q_s8(x + std::min(2 * p + 1, last) * stride + i));
        vst1q_s8(to + p * 16, vreinterpretq_s8_s64(vzip1q_s64(a, b)));
        vst1q_s8(to + (kPairs + p) * 16, vreinterpretq_s8_s64(vzip2q_s64(a, b)));
      }
    }
  }
};

// Computes one group of `count` rows and kVecs vectors of columns, from column `column` on, and
// adds it to `sums` [count][64]. A group has kParts parts of 32 levels.
template <int kPairs, int kParts>
EG_ARM_INLINE void AddGroup(const int8_t* pairs, int count, const Int4Rows::Terms* const* terms,
                            int group, const uint8_t* block, int column, float* sums) {
  int32x4_t dots[kPairs][2 * kVecs];  // [2 rows][2 columns]
#pragma GCC unroll 32
  for (int i = 0; i < kPairs * 2 * kVecs; ++i)
    dots[i / (2 * kVecs)][i % (2 * kVecs)] = vdupq_n_s32(0);
  const uint8_t* levels = block + 4 * column;
  // Each step multiplies quads 2 * step and 2 * step + 1 of the halves of 32 levels.
#pragma GCC unroll 1
  for (int step = 0; step < 2 * kParts; ++step, levels += 2 * kQuadBytes) {
    const int8_t* of_low = pairs + (step / 2 * 4 + step % 2) * kPairs * 16;
    const int8_t* of_high = of_low + 2 * kPairs * 16;
#pragma GCC unroll 2
    for (int v = 0; v < kVecs; ++v) {
      const uint8_t* from = levels + 4 * kLanes * v;
      const ArmLevels a = LoadLevels(from), b = LoadLevels(from + kQuadBytes);
      const int8x16_t low[] = {Zip1(a.low, b.low), Zip2(a.low, b.low)};
      const int8x16_t high[] = {Zip1(a.high, b.high), Zip2(a.high, b.high)};
#pragma GCC unroll 4
      for (int p = 0; p < kPairs; ++p) {
        const int8x16_t x = vld1q_s8(of_low + p * 16), y = vld1q_s8(of_high + p * 16);
        dots[p][2 * v] = Smmla(Smmla(dots[p][2 * v], x, low[0]), y, high[0]);
        dots[p][2 * v + 1] = Smmla(Smmla(dots[p][2 * v + 1], x, low[1]), y, high[1]);
      }
    }
  }
  float32x2_t of_rows[2 * kPairs];
#pragma GCC unroll 8
  for (int r = 0; r < 2 * kPairs; ++r) of_rows[r] = LoadTerms(terms[r][group]);
  EndOfLoads();
  const uint8_t* halves = block + kParts * kInt4LevelBytes;
#pragma GCC unroll 2
  for (int v = 0; v < kVecs; ++v) {
    const ArmScales scales = LoadScales(halves, column + v * kLanes);
#pragma GCC unroll 4
    for (int p = 0; p < kPairs; ++p) {
      const auto first = vreinterpretq_s64_s32(dots[p][2 * v]);
      const auto second = vreinterpretq_s64_s32(dots[p][2 * v + 1]);
      float* to = sums + 2 * p * kInt8Block + column + v * kLanes;
      AddGroupTerms(scales, of_rows[2 * p], vreinterpretq_s32_s64(vzip1q_s64(first, second)), to);
      if (2 * p + 1 == count) continue;
      AddGroupTerms(scales, of_rows[2 * p + 1], vreinterpretq_s32_s64(vzip2q_s64(first, second)),
                    to + kInt8Block);
    }
  }
}

// Computes all 64 columns for kPairs pairs of rows. If `count` is odd, the last row is computed
// twice, and stored once.
template <int kPairs, int kParts>
void Groups(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
            float* sums) {
  constexpr int kGroup = kParts * kInt4Group, kBytes = Int4GroupBytes(kGroup);
  const int8_t* x = rows.s8 + first * rows.stride;
  const Int4Rows::Terms* terms[2 * kPairs];
  for (int r = 0; r < 2 * kPairs; ++r) terms[r] = rows.row_terms(first + std::min(r, count - 1));
  std::memset(sums, 0, sizeof(float) * count * kInt8Block);
  for (int g = 0; g < groups; ++g, block += kBytes, x += kGroup) {
    if (first == 0) {
      for (int i = 0; i < kBytes; i += 64) __builtin_prefetch(block + kFetchAhead + i);
    }
    Pairs<kPairs> pairs;
    pairs.Read(x, rows.stride, count - 1, kGroup);
    for (int column = 0; column < kInt8Block; column += kLanes * kVecs) {
      AddGroup<kPairs, kParts>(pairs.bytes, count, terms, g, block, column, sums);
    }
  }
}

template <int kPairs>
void Rows(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
          float* sums) {
  rows.group == kInt4Group ? Groups<kPairs, 1>(rows, first, count, block, groups, sums)
                           : Groups<kPairs, 2>(rows, first, count, block, groups, sums);
}

}  // namespace

void Int4TileI8mm(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
                  float* sums) {
  if (count <= kMaxDotRows) return Int4TileDotprod(rows, first, count, block, groups, sums);
  count <= 6 ? Rows<3>(rows, first, count, block, groups, sums)
             : Rows<4>(rows, first, count, block, groups, sums);
}

}  // namespace edgegate

#endif
