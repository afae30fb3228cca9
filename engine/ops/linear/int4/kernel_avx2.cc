// The kernel for AVX2 without VNNI.

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstring>

#include "engine/ops/linear/int4/kernel.h"
#include "engine/ops/linear/int4/weights.h"

#define EG_ISA __attribute__((target("avx2,fma,f16c"), always_inline)) inline
#define EG_ISA_NOINLINE __attribute__((target("avx2,fma,f16c")))

namespace edgegate {
namespace {

constexpr int kLanes = 8;
using Int = __m256i;
using Bytes = Int;
using Pairs = Int;
using Float = __m256;

EG_ISA void AddProducts(Int levels, Int activations, Int* sums) {
  Int products;
  asm("vpmaddubsw %3, %2, %1\n\tvpaddw %1, %0, %0"
      : "+x"(*sums), "=&x"(products)
      : "x"(levels), "x"(activations));
}

EG_ISA Pairs ZeroPairs() { return _mm256_setzero_si256(); }
EG_ISA Int Load(const uint8_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
EG_ISA Int LowHalves(Int bytes) { return _mm256_and_si256(bytes, _mm256_set1_epi8(15)); }
EG_ISA Int HighHalves(Int bytes) { return LowHalves(_mm256_srli_epi16(bytes, 4)); }
EG_ISA Int Broadcast(const int8_t* quad) {
  int32_t value;
  std::memcpy(&value, quad, 4);
  return _mm256_set1_epi32(value);
}
EG_ISA Int WidenPairs(Int pairs) { return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)); }
EG_ISA Int AddInt(Int a, Int b) { return _mm256_add_epi32(a, b); }

EG_ISA Float ToFloat(Int x) { return _mm256_cvtepi32_ps(x); }
EG_ISA Float LoadHalves(const uint8_t* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
EG_ISA Float LoadFloat(const float* p) { return _mm256_loadu_ps(p); }
EG_ISA void StoreFloat(float* p, Float x) { _mm256_storeu_ps(p, x); }
EG_ISA Float SetFloat(float x) { return _mm256_set1_ps(x); }
EG_ISA Float Mul(Float a, Float b) { return _mm256_mul_ps(a, b); }
EG_ISA Float MulAdd(Float a, Float b, Float c) { return _mm256_fmadd_ps(a, b, c); }

#include "engine/ops/linear/int4/pair_kernel-inl.h"

}  // namespace

void Int4TileAvx2(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
                  float* sums) {
  kTiles[count - 1](rows, first, block, groups, sums);
}

}  // namespace edgegate

#endif
