// The kernel for processors with AVX2 and without VNNI.

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstring>

#include "engine/ops/linear/int4/kernel.h"
#include "engine/ops/linear/int4/weights.h"

#define EG_AVX2 __attribute__((target("avx2,fma,f16c")))
#define EG_AVX2_INLINE __attribute__((target("avx2,fma,f16c"), always_inline)) inline

namespace edgegate {
namespace {

constexpr int kLanes = 8;               // columns of a vector
constexpr int kQuads = kInt4Group / 8;  // quads of levels in the low halves of a part's bytes

// Pairs of products are summed in s16, which holds those of 32 levels.
static_assert(kInt4Group / 4 * 2 * 15 * 127 <= 32767);

// Adds the products of levels and activations to the sums of pairs. The two instructions are one
// unit for the compiler. So it holds one product at a time, and the sums stay in registers.
EG_AVX2_INLINE void AddProducts(__m256i levels, __m256i activations, __m256i* sums) {
  __m256i products;
  asm("vpmaddubsw %3, %2, %1\n\tvpaddw %1, %0, %0"
      : "+x"(*sums), "=&x"(products)
      : "x"(levels), "x"(activations));
}

EG_AVX2_INLINE __m256i Broadcast(const int8_t* quad) {
  int32_t value;
  std::memcpy(&value, quad, 4);
  return _mm256_set1_epi32(value);
}

EG_AVX2_INLINE __m256i Load(const uint8_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}

EG_AVX2_INLINE __m256 LoadHalves(const uint8_t* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

// Computes the sums of pairs of 32 levels: kRows rows, [kRows][stride] at `x`, times kVecs vectors
// of columns at `levels`. The loop over quads is not unrolled, because the compiler would then keep
// sums in memory.
template <int kRows, int kVecs>
EG_AVX2_INLINE void Multiply(const int8_t* x, size_t stride, const uint8_t* levels,
                             __m256i (&sums)[kRows][kVecs]) {
  const __m256i mask = _mm256_set1_epi8(15);
#pragma GCC unroll 16
  for (int i = 0; i < kRows * kVecs; ++i) sums[i / kVecs][i % kVecs] = _mm256_setzero_si256();
#pragma GCC unroll 1
  for (int quad = 0; quad < kQuads; ++quad, x += 4, levels += 4 * kInt8Block) {
    __m256i w[kVecs];
#pragma GCC unroll 4
    for (int v = 0; v < kVecs; ++v) w[v] = _mm256_and_si256(Load(levels + 4 * kLanes * v), mask);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const __m256i activations = Broadcast(x + r * stride);
#pragma GCC unroll 4
      for (int v = 0; v < kVecs; ++v) AddProducts(w[v], activations, &sums[r][v]);
    }
#pragma GCC unroll 4
    for (int v = 0; v < kVecs; ++v) {
      w[v] = _mm256_and_si256(_mm256_srli_epi16(Load(levels + 4 * kLanes * v), 4), mask);
    }
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const __m256i activations = Broadcast(x + r * stride + kInt4Group / 2);
#pragma GCC unroll 4
      for (int v = 0; v < kVecs; ++v) AddProducts(w[v], activations, &sums[r][v]);
    }
  }
}

// Computes one group of kRows rows and kVecs vectors of columns, from column `column` on, and adds
// it to `sums` [kRows][64]. A group has kParts parts of 32 levels.
template <int kRows, int kVecs, int kParts>
EG_AVX2_INLINE void AddGroup(const int8_t* x, size_t stride, const Int4Rows::Terms* const* terms,
                             int group, const uint8_t* block, int column, float* sums) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i dots[kRows][kVecs];
#pragma GCC unroll 2
  for (int part = 0; part < kParts; ++part) {
    __m256i pairs[kRows][kVecs];
    Multiply<kRows, kVecs>(x + part * kInt4Group, stride,
                           block + part * kInt4LevelBytes + 4 * column, pairs);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kVecs; ++v) {
        const __m256i wide = _mm256_madd_epi16(pairs[r][v], ones);
        dots[r][v] = part == 0 ? wide : _mm256_add_epi32(dots[r][v], wide);
      }
    }
  }
  const uint8_t* halves = block + kParts * kInt4LevelBytes + 2 * column;
#pragma GCC unroll 4
  for (int v = 0; v < kVecs; ++v) {
    const __m256 scale = LoadHalves(halves + 2 * kLanes * v);
    const __m256 minimum = LoadHalves(halves + 2 * kLanes * v + 2 * kInt8Block);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Int4Rows::Terms of = terms[r][group];
      float* to = sums + r * kInt8Block + column + v * kLanes;
      const __m256 factor = _mm256_mul_ps(scale, _mm256_set1_ps(of.scale));
      const __m256 sum =
          _mm256_fmadd_ps(factor, _mm256_cvtepi32_ps(dots[r][v]), _mm256_loadu_ps(to));
      _mm256_storeu_ps(to, _mm256_fmadd_ps(minimum, _mm256_set1_ps(of.sum), sum));
    }
  }
}

// Computes all 64 columns for kRows rows. The sums stay in the first-level cache, so that the
// registers can hold the products of many rows.
template <int kRows, int kVecs, int kParts>
EG_AVX2 void Groups(const Int4Rows& rows, int first, const uint8_t* block, int groups,
                    float* sums) {
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

void Int4TileAvx2(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
                  float* sums) {
  // The sizes are chosen so that the sums of pairs fit 16 registers.
  static constexpr decltype(&Rows<1, 4>) kTiles[] = {Rows<1, 4>, Rows<2, 4>, Rows<3, 2>, Rows<4, 2>,
                                                     Rows<5, 2>};
  kTiles[count - 1](rows, first, block, groups, sums);
}

}  // namespace edgegate

#endif
