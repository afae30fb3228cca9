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

// Computes EmulatedMulAdd of the two low numbers.
__attribute__((always_inline)) inline __m128 EmulatedMulAddLow(__m128 a, __m128 b, __m128 c) {
  const __m128d product = _mm_mul_pd(_mm_cvtps_pd(a), _mm_cvtps_pd(b));
  const __m128d addend = _mm_cvtps_pd(c);
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
  const __m128i moved = _mm_add_epi64(bits, _mm_and_si128(step, _mm_and_si128(even, inexact)));
  return _mm_cvtpd_ps(_mm_castsi128_pd(moved));
}

// Computes EmulatedMulAdd of four numbers.
__attribute__((always_inline)) inline __m128 EmulatedMulAdd(__m128 a, __m128 b, __m128 c) {
  const __m128 low = EmulatedMulAddLow(a, b, c);
  return _mm_movelh_ps(
      low, EmulatedMulAddLow(_mm_movehl_ps(a, a), _mm_movehl_ps(b, b), _mm_movehl_ps(c, c)));
}

#endif

}  // namespace edgegate
