// AVX2, AVX-VNNI, AVX-512 and AVX-512-VNNI variants from one template; see int4_kernel.h.

#include "engine/ops/int4_kernel.h"

#include <cstring>

#include "engine/base/cpu_features.h"
#include "engine/ops/int4_weights.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/int4_kernel.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_ARCH_X86 && HWY_CAP_GE256

using F32 = hn::ScalableTag<float>;
using I32 = hn::ScalableTag<int32_t>;
using U8 = hn::ScalableTag<uint8_t>;
using U16 = hn::ScalableTag<uint16_t>;
using I16 = hn::ScalableTag<int16_t>;
using VF = hn::Vec<F32>;
using V32 = hn::Vec<I32>;
using VU8 = hn::Vec<U8>;
using V16 = hn::Vec<I16>;

HWY_INLINE V32 Broadcast(const int8_t* quad) {
  int32_t value;
  std::memcpy(&value, quad, 4);
  return hn::Set(I32(), value);
}

// Four products of a level and an activation summed into each s32 lane; see int8_kernel.cc on why
// the instruction is written out.
struct VnniDot {
  using Sums = V32;
  static HWY_INLINE Sums Zero() { return hn::Zero(I32()); }
  static HWY_INLINE Sums Dot(Sums sums, VU8 levels, V32 activations) {
#if HWY_CAP_GE512
    asm("vpdpbusd %2, %1, %0" : "+v"(sums.raw) : "v"(levels.raw), "v"(activations.raw));
#else
    asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sums.raw) : "x"(levels.raw), "x"(activations.raw));
#endif
    return sums;
  }
  static HWY_INLINE V32 Finish(Sums sums) { return sums; }
};

// Without VNNI: pairs are summed in s16, which holds a whole group of the largest products, and
// then in s32.
struct PairDot {
  static_assert(kInt4Group / 4 * 2 * 15 * 127 <= 32767);
  using Sums = V16;
  static HWY_INLINE Sums Zero() { return hn::Zero(I16()); }
  static HWY_INLINE Sums Dot(Sums sums, VU8 levels, V32 activations) {
#if HWY_CAP_GE512
    return hn::Add(sums, V16{_mm512_maddubs_epi16(levels.raw, activations.raw)});
#else
    return hn::Add(sums, V16{_mm256_maddubs_epi16(levels.raw, activations.raw)});
#endif
  }
  static HWY_INLINE V32 Finish(Sums sums) {
#if HWY_CAP_GE512
    return V32{_mm512_madd_epi16(sums.raw, _mm512_set1_epi16(1))};
#else
    return V32{_mm256_madd_epi16(sums.raw, _mm256_set1_epi16(1))};
#endif
  }
};

// f16 at `p` to float.
HWY_INLINE VF LoadHalves(const uint8_t* p) {
  const hn::Rebind<hwy::float16_t, F32> halves;
  return hn::PromoteTo(F32(), hn::LoadU(halves, reinterpret_cast<const hwy::float16_t*>(p)));
}

// Columns `column` .. of the block, for kRows rows and kVecs vectors of columns, over groups
// [begin, end). Adds to `sums` [kRows][64] unless begin is 0.
template <class D, int kRows, int kVecs>
HWY_INLINE void Columns(const Int4Rows& rows, int first, const uint8_t* block, int column,
                        int begin, int end, float* sums) {
  const F32 f;
  const int lanes = static_cast<int>(hn::Lanes(f));
  const auto mask = hn::Set(U8(), 15);
  VF total[kRows][kVecs];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVecs; ++v) {
      float* from = sums + r * kInt8Block + column + v * lanes;
      total[r][v] = begin == 0 ? hn::Zero(f) : hn::LoadU(f, from);
    }
  }
  for (int g = begin; g < end; ++g) {
    const uint8_t* group = block + size_t{1} * g * kInt4GroupBytes;
    const int8_t* x = rows.s8 + first * rows.stride + size_t{1} * g * kInt4Group;
    typename D::Sums dots[kRows][kVecs];
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVecs; ++v) dots[r][v] = D::Zero();
    }
    for (int q = 0; q < kInt4Group / 8; ++q) {
      VU8 low[kVecs], high[kVecs];
      for (int v = 0; v < kVecs; ++v) {
        const auto bytes = hn::LoadU(U8(), group + 4 * (q * kInt8Block + column + v * lanes));
        low[v] = hn::And(bytes, mask);
        high[v] = hn::And(hn::BitCast(U8(), hn::ShiftRight<4>(hn::BitCast(U16(), bytes))), mask);
      }
      for (int r = 0; r < kRows; ++r) {
        const int8_t* quad = x + r * rows.stride + 4 * q;
        const V32 first_half = Broadcast(quad), second_half = Broadcast(quad + kInt4Group / 2);
        for (int v = 0; v < kVecs; ++v) {
          dots[r][v] = D::Dot(D::Dot(dots[r][v], low[v], first_half), high[v], second_half);
        }
      }
    }
    for (int v = 0; v < kVecs; ++v) {
      const uint8_t* halves = group + kInt4LevelBytes + 2 * (column + v * lanes);
      const VF scale = LoadHalves(halves);
      const VF minimum = LoadHalves(halves + 2 * kInt8Block);
      for (int r = 0; r < kRows; ++r) {
        const Int4Rows::Terms terms = rows.row_terms(first + r)[g];
        const VF dot = hn::ConvertTo(f, D::Finish(dots[r][v]));
        VF& sum = total[r][v];
        sum = hn::MulAdd(hn::Mul(scale, hn::Set(f, terms.scale)), dot, sum);
        sum = hn::MulAdd(minimum, hn::Set(f, terms.sum), sum);
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVecs; ++v) {
      hn::StoreU(total[r][v], f, sums + r * kInt8Block + column + v * lanes);
    }
  }
}

// All 64 columns for kRows rows. Where they do not fit the registers at once, the block is read in
// slices of groups that stay in the first-level cache, so that memory is still read in order.
template <class D, int kRows, int kVecs>
HWY_NOINLINE void Rows(const Int4Rows& rows, int first, const uint8_t* block, int groups,
                       float* sums) {
  const int step = static_cast<int>(hn::Lanes(F32())) * kVecs;
  const int slice = step >= kInt8Block ? groups : 8;
  for (int begin = 0; begin < groups; begin += slice) {
    const int end = begin + slice < groups ? begin + slice : groups;
    for (int column = 0; column < kInt8Block; column += step) {
      Columns<D, kRows, kVecs>(rows, first, block, column, begin, end, sums);
    }
  }
}

#if HWY_CAP_GE512

template <class D>
void Tile(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
          float* sums) {
  switch (count) {
    case 1:
      return Rows<D, 1, 4>(rows, first, block, groups, sums);
    case 2:
      return Rows<D, 2, 4>(rows, first, block, groups, sums);
    case 3:
      return Rows<D, 3, 4>(rows, first, block, groups, sums);
    case 4:
      return Rows<D, 4, 2>(rows, first, block, groups, sums);
    case 5:
      return Rows<D, 5, 2>(rows, first, block, groups, sums);
    default:
      return Rows<D, 6, 2>(rows, first, block, groups, sums);
  }
}

Int4Kernel GetKernel(bool vnni) {
  if (vnni) return {Tile<VnniDot>, 6, "avx512-vnni"};
  return {Tile<PairDot>, 6, "avx512-pairs"};
}

#else

// Four rows are what 16 registers hold.
template <class D>
void Tile(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
          float* sums) {
  switch (count) {
    case 1:
      return Rows<D, 1, 4>(rows, first, block, groups, sums);
    case 2:
      return Rows<D, 2, 2>(rows, first, block, groups, sums);
    case 3:
      return Rows<D, 3, 2>(rows, first, block, groups, sums);
    default:
      return Rows<D, 4, 1>(rows, first, block, groups, sums);
  }
}

Int4Kernel GetKernel(bool vnni) {
  if (vnni) return {Tile<VnniDot>, 4, "avx-vnni"};
  return {Tile<PairDot>, 4, "avx2-pairs"};
}

#endif

#else  // no 256-bit vectors

Int4Kernel GetKernel(bool) { return {Int4TileReference, 4, "scalar"}; }

#endif

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgegate {

HWY_EXPORT(GetKernel);

Int4Kernel SelectInt4Kernel() {
  const Isa isa = CurrentIsa();
  return HWY_DYNAMIC_DISPATCH(GetKernel)(isa == Isa::kAvxVnni || isa >= Isa::kAvx512Vnni);
}

}  // namespace edgegate
#endif
