// The kernel for ARM's matrix products of bytes. An instruction multiplies two rows by two columns.
// The bytes are signed, so that the activations are u8 - 128, as in kernel_dotprod.cc.

#if defined(__aarch64__)

#include "engine/ops/isa/arm_dot.h"
#include "engine/ops/linear/int8/kernel.h"
#include "engine/ops/linear/int8/weights.h"

namespace edgegate {
namespace {

constexpr int kLanes = 4;                   // columns of a vector of weights
constexpr int kVecs = 2;                    // vectors of columns that are computed together
constexpr int kQuadBytes = 4 * kInt8Block;  // one quad of all columns
constexpr int kSlice = 32;                  // quads that stay in the first-level cache
constexpr int kMaxDotRows = 4;              // more rows are faster here than in kernel_dotprod.cc

// The activations of kPairs pairs of rows over a slice: [quads / 2][kPairs][2 rows][8 bytes].
template <int kPairs>
struct Pairs {
  alignas(16) int8_t bytes[kSlice / 2 * kPairs * 16];

  // Copies quads [begin, end), a multiple of four, of `count` rows. If `count` is odd, the last row
  // is copied twice. The result of its copy is not used.
  void Read(const Int8Rows& rows, int first, int count, int begin, int end) {
    const uint8x16_t sign = vdupq_n_u8(0x80);
    int8_t* to = bytes;
    for (int quad = begin; quad < end; quad += 4, to += 2 * kPairs * 16) {
      for (int p = 0; p < kPairs; ++p) {
        const uint8_t* a = rows.u8 + (first + 2 * p) * rows.stride + 4 * quad;
        const uint8_t* b = 2 * p + 1 < count ? a + rows.stride : a;
        const auto of_a = vreinterpretq_s64_u8(veorq_u8(vld1q_u8(a), sign));
        const auto of_b = vreinterpretq_s64_u8(veorq_u8(vld1q_u8(b), sign));
        vst1q_s8(to + p * 16, vreinterpretq_s8_s64(vzip1q_s64(of_a, of_b)));
        vst1q_s8(to + (kPairs + p) * 16, vreinterpretq_s8_s64(vzip2q_s64(of_a, of_b)));
      }
    }
  }
};

EG_ARM_INLINE int8x16_t ZipLow(int8x16_t a, int8x16_t b) {
  return vreinterpretq_s8_s32(vzip1q_s32(vreinterpretq_s32_s8(a), vreinterpretq_s32_s8(b)));
}
EG_ARM_INLINE int8x16_t ZipHigh(int8x16_t a, int8x16_t b) {
  return vreinterpretq_s8_s32(vzip2q_s32(vreinterpretq_s32_s8(a), vreinterpretq_s32_s8(b)));
}

// Adds to `sums` [count][64] the products of `quads` quads and kVecs vectors of columns. `weights`
// begins at the first quad and column.
template <int kPairs>
EG_ARM_INLINE void AddSlice(const int8_t* pairs, int count, const int8_t* weights, int quads,
                            int32_t* sums) {
  int32x4_t acc[kPairs][2 * kVecs];  // [2 rows][2 columns]
#pragma GCC unroll 32
  for (int i = 0; i < kPairs * 2 * kVecs; ++i)
    acc[i / (2 * kVecs)][i % (2 * kVecs)] = vdupq_n_s32(0);
#pragma GCC unroll 1
  for (int quad = 0; quad < quads; quad += 2, weights += 2 * kQuadBytes, pairs += kPairs * 16) {
    int8x16_t x[kPairs];
#pragma GCC unroll 4
    for (int p = 0; p < kPairs; ++p) x[p] = vld1q_s8(pairs + p * 16);
#pragma GCC unroll 2
    for (int v = 0; v < kVecs; ++v) {
      const int8_t* from = weights + 4 * kLanes * v;
      const int8x16_t a = vld1q_s8(from), b = vld1q_s8(from + kQuadBytes);
      const int8x16_t low = ZipLow(a, b), high = ZipHigh(a, b);
#pragma GCC unroll 4
      for (int p = 0; p < kPairs; ++p) {
        acc[p][2 * v] = Smmla(acc[p][2 * v], x[p], low);
        acc[p][2 * v + 1] = Smmla(acc[p][2 * v + 1], x[p], high);
      }
    }
  }
#pragma GCC unroll 4
  for (int p = 0; p < kPairs; ++p) {
#pragma GCC unroll 2
    for (int v = 0; v < kVecs; ++v) {
      const auto low = vreinterpretq_s64_s32(acc[p][2 * v]);
      const auto high = vreinterpretq_s64_s32(acc[p][2 * v + 1]);
      int32_t* to = sums + 2 * p * kInt8Block + v * kLanes;
      vst1q_s32(to, vaddq_s32(vld1q_s32(to), vreinterpretq_s32_s64(vzip1q_s64(low, high))));
      if (2 * p + 1 == count) continue;
      to += kInt8Block;
      vst1q_s32(to, vaddq_s32(vld1q_s32(to), vreinterpretq_s32_s64(vzip2q_s64(low, high))));
    }
  }
}

// Computes all 64 columns for kPairs pairs of rows.
template <int kPairs>
void Rows(const Int8Rows& rows, int first, int count, const int8_t* block, int quads,
          int32_t* acc) {
  for (int i = 0; i < count * kInt8Block; ++i) acc[i] = 0;
  for (int begin = 0; begin < quads; begin += kSlice) {
    const int end = begin + kSlice < quads ? begin + kSlice : quads;
    Pairs<kPairs> pairs;
    pairs.Read(rows, first, count, begin, end);
    const int8_t* weights = block + size_t{kQuadBytes} * begin;
    if (first == 0) {
      for (int i = 0; i < (end - begin) * kQuadBytes; i += 64) {
        __builtin_prefetch(weights + 2 * kFetchAhead + i);
      }
    }
    for (int column = 0; column < kInt8Block; column += kLanes * kVecs) {
      AddSlice<kPairs>(pairs.bytes, count, weights + 4 * column, end - begin, acc + column);
    }
  }
}

}  // namespace

void Int8TileI8mm(const Int8Rows& rows, int first, int count, const int8_t* block, int quads,
                  int32_t* acc) {
  if (count <= kMaxDotRows) return Int8TileDotprod(rows, first, count, block, quads, acc);
  count <= 6 ? Rows<3>(rows, first, count, block, quads, acc)
             : Rows<4>(rows, first, count, block, quads, acc);
}

}  // namespace edgegate

#endif
