// The kernel of strips for AVX2.

#if defined(__x86_64__)

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "engine/ops/linear/int8/strip_kernel.h"

#define EG_ISA __attribute__((target("avx2"), always_inline)) inline
#define EG_ISA_NOINLINE __attribute__((target("avx2")))

namespace edgegate {
namespace {

constexpr int kLanes = 8;
using Vec = __m256i;

EG_ISA Vec Add(Vec a, Vec b) { return _mm256_add_epi32(a, b); }
EG_ISA Vec Load(const void* p) { return _mm256_load_si256(static_cast<const Vec*>(p)); }
EG_ISA void Store(Vec x, int32_t* p) { _mm256_store_si256(reinterpret_cast<Vec*>(p), x); }
EG_ISA Vec Broadcast(const void* quad) {
  int32_t value;
  std::memcpy(&value, quad, 4);
  return _mm256_set1_epi32(value);
}

EG_ISA Vec AddDots(Vec sums, Vec x, Vec w) {
  Vec products;
  asm("vpmaddubsw %3, %2, %1\n\tvpmaddwd %4, %1, %1\n\tvpaddd %1, %0, %0"
      : "+x"(sums), "=&x"(products)
      : "x"(x), "x"(w), "x"(_mm256_set1_epi16(1)));
  return sums;
}

EG_ISA uint32_t WideMask(Vec w) {
  const Vec sums = _mm256_abs_epi16(_mm256_maddubs_epi16(_mm256_set1_epi8(1), w));
  const Vec wide = _mm256_cmpgt_epi16(sums, _mm256_set1_epi16(128));
  return static_cast<uint32_t>(_mm256_movemask_epi8(wide));
}

EG_ISA Vec TakePairs(Vec x, int half) {
  const Vec byte = _mm256_setr_epi8(0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13, -1,  //
                                    0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13, -1);
  return _mm256_shuffle_epi8(_mm256_srl_epi32(x, _mm_cvtsi32_si128(16 * half)), byte);
}

EG_ISA Vec Excess(Vec pairs, Vec weights) {
  const Vec sums = _mm256_madd_epi16(pairs, weights);
  const Vec most = _mm256_set1_epi32(32767), least = _mm256_set1_epi32(-32768);
  return _mm256_sub_epi32(sums, _mm256_max_epi32(_mm256_min_epi32(sums, most), least));
}

#include "engine/ops/linear/int8/strip_kernel-inl.h"

}  // namespace

const Int8StripKernel kInt8StripsAvx2 = {"avx2-strips", Find, Run};

}  // namespace edgegate

#endif
