// The kernel of strips for SSE4.1.

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "engine/ops/linear/int8/strip_kernel.h"

#define EG_ISA __attribute__((target("sse4.1"), always_inline)) inline
#define EG_ISA_NOINLINE __attribute__((target("sse4.1")))

namespace edgegate {
namespace {

constexpr int kLanes = 4;
using Vec = __m128i;

EG_ISA Vec Add(Vec a, Vec b) { return _mm_add_epi32(a, b); }
EG_ISA Vec Load(const void* p) { return _mm_load_si128(static_cast<const Vec*>(p)); }
EG_ISA void Store(Vec x, int32_t* p) { _mm_store_si128(reinterpret_cast<Vec*>(p), x); }
EG_ISA Vec Broadcast(const void* quad) {
  int32_t value;
  std::memcpy(&value, quad, 4);
  return _mm_set1_epi32(value);
}

EG_ISA Vec AddDots(Vec sums, Vec x, Vec w) {
  Vec products = x;
  asm("pmaddubsw %2, %1\n\tpmaddwd %3, %1\n\tpaddd %1, %0"
      : "+x"(sums), "+&x"(products)
      : "x"(w), "x"(_mm_set1_epi16(1)));
  return sums;
}

EG_ISA uint32_t WideMask(Vec w) {
  const Vec sums = _mm_abs_epi16(_mm_maddubs_epi16(_mm_set1_epi8(1), w));
  const Vec wide = _mm_cmpgt_epi16(sums, _mm_set1_epi16(128));
  return static_cast<uint32_t>(_mm_movemask_epi8(wide));
}

EG_ISA Vec TakePairs(Vec x, int half) {
  const Vec byte = _mm_setr_epi8(0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13, -1);
  return _mm_shuffle_epi8(_mm_srl_epi32(x, _mm_cvtsi32_si128(16 * half)), byte);
}

EG_ISA Vec Excess(Vec pairs, Vec weights) {
  const Vec sums = _mm_madd_epi16(pairs, weights);
  const Vec most = _mm_set1_epi32(32767), least = _mm_set1_epi32(-32768);
  return _mm_sub_epi32(sums, _mm_max_epi32(_mm_min_epi32(sums, most), least));
}

#include "engine/ops/linear/int8/strip_kernel-inl.h"

}  // namespace

const Int8StripKernel kInt8StripsSse4 = {"sse4-strips", Find, Run};

}  // namespace edgegate

#endif
