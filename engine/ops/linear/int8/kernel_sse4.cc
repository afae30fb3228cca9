// The kernel for SSE4.1. The products are exact, because both operands are widened to s16.

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstring>

#include "engine/ops/linear/int8/kernel.h"
#include "engine/ops/linear/int8/weights.h"

#define EG_ISA __attribute__((target("sse4.1"), always_inline)) inline
#define EG_ISA_NOINLINE __attribute__((target("sse4.1")))

namespace edgegate {
namespace {

constexpr int kColumns = 2;            // columns of a vector of 16-bit weights
constexpr int kSums = 2 * kInt8Block;  // sums of a row: two for each column

EG_ISA __m128i LoadWeights(const int8_t* p) {
  return _mm_cvtepi8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}

EG_ISA __m128i Broadcast(const int16_t* quad) {
  return _mm_shuffle_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(quad)), 0x44);
}

// Adds to `sums` [kRows][kSums] the products of quads [begin, end) of kRows rows and kVecs vectors
// of columns, from column `column` on. Each column has two sums, of the first and of the second
// halves of the quads.
template <int kRows, int kVecs>
EG_ISA void AddQuads(const Int8Rows& rows, int first, const int8_t* block, int column, int begin,
                     int end, int32_t* sums) {
  __m128i acc[kRows][kVecs];
  auto* out = reinterpret_cast<__m128i*>(sums + 2 * column);
  constexpr int kRowVecs = kSums / 4;
#pragma GCC unroll 16
  for (int i = 0; i < kRows * kVecs; ++i) {
    acc[i / kVecs][i % kVecs] = _mm_load_si128(out + i / kVecs * kRowVecs + i % kVecs);
  }
  const int8_t* weights = block + 4 * column + size_t{4 * kInt8Block} * begin;
  for (int quad = begin; quad < end; ++quad, weights += 4 * kInt8Block) {
    if (first == 0 && column % 16 == 0) __builtin_prefetch(weights + kFetchAhead);
    __m128i w[kVecs];
#pragma GCC unroll 16
    for (int v = 0; v < kVecs; ++v) w[v] = LoadWeights(weights + 4 * kColumns * v);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const __m128i activations = Broadcast(rows.s16 + (first + r) * rows.stride + 4 * quad);
#pragma GCC unroll 16
      for (int v = 0; v < kVecs; ++v) {
        acc[r][v] = _mm_add_epi32(acc[r][v], _mm_madd_epi16(w[v], activations));
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows * kVecs; ++i) {
    _mm_store_si128(out + i / kVecs * kRowVecs + i % kVecs, acc[i / kVecs][i % kVecs]);
  }
}

// Computes all 64 columns for kRows rows. The block is read in slices of k that stay in the
// first-level cache. The slices of the first rows have 1 KiB, so that memory is read nearly
// sequentially.
template <int kRows, int kVecs>
EG_ISA_NOINLINE void Rows(const Int8Rows& rows, int first, const int8_t* block, int quads,
                          int32_t* acc) {
  alignas(16) int32_t sums[kRows * kSums] = {};
  const int slice = first == 0 ? 4 : 32;
  for (int begin = 0; begin < quads; begin += slice) {
    const int end = begin + slice < quads ? begin + slice : quads;
    for (int column = 0; column < kInt8Block; column += kColumns * kVecs) {
      AddQuads<kRows, kVecs>(rows, first, block, column, begin, end, sums);
    }
  }
  for (int i = 0; i < kRows * kInt8Block; ++i) acc[i] = sums[2 * i] + sums[2 * i + 1];
}

}  // namespace

void Int8TileSse4(const Int8Rows& rows, int first, int count, const int8_t* block, int quads,
                  int32_t* acc) {
  // The sizes are chosen so that the sums, the weights and one activation fit 16 registers.
  static constexpr decltype(&Rows<1, 8>) kTiles[] = {Rows<1, 8>, Rows<2, 4>, Rows<3, 4>,
                                                     Rows<4, 2>, Rows<5, 2>, Rows<6, 2>};
  kTiles[count - 1](rows, first, block, quads, acc);
}

}  // namespace edgegate

#endif
