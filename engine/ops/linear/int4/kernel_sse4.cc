// The kernel for SSE4.1 (and SSSE3), which has no fused multiply-add and no conversion of f16.

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstring>

#include "engine/ops/isa/emulated_fma.h"
#include "engine/ops/linear/int4/kernel.h"
#include "engine/ops/linear/int4/weights.h"

#define EG_ISA __attribute__((target("sse4.1"), always_inline)) inline
#define EG_ISA_NOINLINE __attribute__((target("sse4.1")))

namespace edgegate {
namespace {

constexpr int kLanes = 4;
using Int = __m128i;
using Bytes = Int;
using Pairs = Int;
using Float = __m128;

EG_ISA void AddProducts(Int levels, Int activations, Int* sums) {
  Int products = levels;
  asm("pmaddubsw %2, %1\n\tpaddw %1, %0" : "+x"(*sums), "+x"(products) : "x"(activations));
}

EG_ISA Pairs ZeroPairs() { return _mm_setzero_si128(); }
EG_ISA Int Load(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
EG_ISA Int LowHalves(Int bytes) { return _mm_and_si128(bytes, _mm_set1_epi8(15)); }
EG_ISA Int HighHalves(Int bytes) { return LowHalves(_mm_srli_epi16(bytes, 4)); }
EG_ISA Int Broadcast(const int8_t* quad) {
  int32_t value;
  std::memcpy(&value, quad, 4);
  return _mm_set1_epi32(value);
}
EG_ISA Int WidenPairs(Int pairs) { return _mm_madd_epi16(pairs, _mm_set1_epi16(1)); }
EG_ISA Int AddInt(Int a, Int b) { return _mm_add_epi32(a, b); }

EG_ISA Float ToFloat(Int x) { return _mm_cvtepi32_ps(x); }
EG_ISA Float LoadFloat(const float* p) { return _mm_loadu_ps(p); }
EG_ISA void StoreFloat(float* p, Float x) { _mm_storeu_ps(p, x); }
EG_ISA Float SetFloat(float x) { return _mm_set1_ps(x); }
EG_ISA Float Mul(Float a, Float b) { return _mm_mul_ps(a, b); }

// Converts four f16. The bits of the exponent and of the mantissa, moved to their places in a
// float, are the number times 2^-112. This is so for subnormal numbers too.
EG_ISA Float LoadHalves(const uint8_t* p) {
  const Int bits = _mm_cvtepu16_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
  const Int magnitude = _mm_and_si128(bits, _mm_set1_epi32(0x7fff));
  const Float scaled = _mm_castsi128_ps(_mm_slli_epi32(magnitude, 13));
  const Int infinite = _mm_cmpgt_epi32(magnitude, _mm_set1_epi32(0x7bff));
  const Int special = _mm_and_si128(infinite, _mm_set1_epi32(0x7f800000));
  const Int sign = _mm_slli_epi32(_mm_sub_epi32(bits, magnitude), 16);
  return _mm_or_ps(_mm_mul_ps(scaled, _mm_set1_ps(0x1p112f)),
                   _mm_castsi128_ps(_mm_or_si128(special, sign)));
}

EG_ISA Float MulAdd(Float a, Float b, Float c) { return EmulatedMulAdd(a, b, c); }

#include "engine/ops/linear/int4/pair_kernel-inl.h"

}  // namespace

void Int4TileSse4(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
                  float* sums) {
  kTiles[count - 1](rows, first, block, groups, sums);
}

}  // namespace edgegate

#endif
