// The fused multiply-add of floats for processors that have no such instruction. All kernels round
// a * b + c once where their formula has a fused multiply-add, so that each processor gives the
// same bits.
#pragma once

#include <bit>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace edgegate {

// Returns a * b + c, rounded to float once. The product is exact in double. The sum is rounded to
// odd (Boldo and Melquiond 2008, "Emulation of FMA and correctly rounded sums"): if it is inexact,
// its last bit is one. So rounding it to float gives the bits of a fused multiply-add.
inline float EmulatedMulAdd(float a, float b, float c) {
  const double product = double{a} * double{b}, addend = double{c}, sum = product + addend;
  // The error of the sum (Knuth's TwoSum).
  const double part = sum - product;
  const double error = (product - (sum - part)) + (addend - part);
  // Moves an even sum by one unit towards the exact value. The error of a sum that is not finite is
  // NaN.
  auto bits = std::bit_cast<uint64_t>(sum);
  if ((error < 0 || error > 0) && bits % 2 == 0) {
    const bool apart = (bits ^ std::bit_cast<uint64_t>(error)) >> 63 != 0;
    bits = apart ? bits - 1 : bits + 1;
  }
  return static_cast<float>(std::bit_cast<double>(bits));
}

#if defined(__SSE2__)

// Returns product + addend, rounded to odd.
__attribute__((always_inline)) inline __m128d SumToOdd(__m128d product, __m128d addend) {
  const __m128d sum = _mm_add_pd(product, addend);
  const __m128d part = _mm_sub_pd(sum, product);
  const __m128d error =
      _mm_add_pd(_mm_sub_pd(product, _mm_sub_pd(sum, part)), _mm_sub_pd(addend, part));
  const __m128i bits = _mm_castpd_si128(sum), one = _mm_set_epi32(0, 1, 0, 1);
  const __m128i apart = _mm_srli_epi64(_mm_castpd_si128(_mm_xor_pd(sum, error)), 63);
  const __m128i step = _mm_sub_epi64(one, _mm_add_epi64(apart, apart));
  const __m128i even = _mm_sub_epi64(_mm_and_si128(bits, one), one);
  const __m128d zero = _mm_setzero_pd();
  const __m128i inexact =
      _mm_castpd_si128(_mm_or_pd(_mm_cmplt_pd(error, zero), _mm_cmpgt_pd(error, zero)));
  return _mm_castsi128_pd(_mm_add_epi64(bits, _mm_and_si128(step, _mm_and_si128(even, inexact))));
}

// Returns whether rounding one of four doubles to float could differ from rounding a sum near it:
// whether one is the mean of two adjacent floats, or smaller than the smallest normal float.
__attribute__((always_inline)) inline bool MayRoundTwice(__m128d low, __m128d high) {
  const __m128 a = _mm_castpd_ps(low), b = _mm_castpd_ps(high);
  const __m128i lows = _mm_castps_si128(_mm_shuffle_ps(a, b, 0x88));
  const __m128i highs = _mm_castps_si128(_mm_shuffle_ps(a, b, 0xdd));
  const __m128i below_float = _mm_and_si128(lows, _mm_set1_epi32(0x1fffffff));
  const __m128i mean = _mm_cmpeq_epi32(below_float, _mm_set1_epi32(0x10000000));
  const __m128i exponent = _mm_and_si128(highs, _mm_set1_epi32(0x7ff00000));
  const __m128i small = _mm_cmpgt_epi32(_mm_set1_epi32((1023 - 126) << 20), exponent);
  return _mm_movemask_epi8(_mm_or_si128(mean, small)) != 0;
}

// Computes EmulatedMulAdd of four numbers. Rounding a sum to double and then to float seldom
// differs from rounding it once, so the sum is rounded to odd only where it may.
__attribute__((always_inline)) inline __m128 EmulatedMulAdd(__m128 a, __m128 b, __m128 c) {
  const __m128 a2 = _mm_movehl_ps(a, a), b2 = _mm_movehl_ps(b, b), c2 = _mm_movehl_ps(c, c);
  const __m128d product = _mm_mul_pd(_mm_cvtps_pd(a), _mm_cvtps_pd(b)), addend = _mm_cvtps_pd(c);
  const __m128d product2 = _mm_mul_pd(_mm_cvtps_pd(a2), _mm_cvtps_pd(b2));
  const __m128d addend2 = _mm_cvtps_pd(c2);
  __m128d sum = _mm_add_pd(product, addend), sum2 = _mm_add_pd(product2, addend2);
  if (__builtin_expect(MayRoundTwice(sum, sum2), 0)) {
    sum = SumToOdd(product, addend);
    sum2 = SumToOdd(product2, addend2);
  }
  return _mm_movelh_ps(_mm_cvtpd_ps(sum), _mm_cvtpd_ps(sum2));
}

#endif

}  // namespace edgegate
