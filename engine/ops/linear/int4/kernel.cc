// The kernels for AVX-VNNI, AVX-512, AVX-512-VNNI and AMX are instances of templates.

#include "engine/ops/linear/int4/kernel.h"

#include <algorithm>
#include <cstring>

#include "engine/ops/linear/int4/weights.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/linear/int4/kernel.cc"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Must be included after highway.h.
#include "engine/ops/isa/vnni-inl.h"

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {

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

// Exact products of levels and activations. Each lane adds four of them.
struct VnniDot {
  V32 sums;
  HWY_INLINE void Clear() { sums = hn::Zero(I32()); }
  HWY_INLINE void Add(VU8 levels, V32 activations) { sums = DotVnni(sums, levels, activations); }
  HWY_INLINE void EndPart() {}
};

#if HWY_CAP_GE512

// Exact products without VNNI. Pairs are summed in s16, which holds 32 of the largest products, and
// then in s32. kernel_avx2.cc has the kernel for AVX2.
struct PairDot {
  static_assert(kInt4Group / 4 * 2 * 15 * 127 <= 32767);
  V16 pairs;
  V32 sums;
  HWY_INLINE void Clear() {
    pairs = hn::Zero(I16());
    sums = hn::Zero(I32());
  }
  HWY_INLINE void Add(VU8 levels, V32 activations) {
    pairs = hn::Add(pairs, V16{_mm512_maddubs_epi16(levels.raw, activations.raw)});
  }
  HWY_INLINE void EndPart() {
    sums = hn::Add(sums, V32{_mm512_madd_epi16(pairs.raw, _mm512_set1_epi16(1))});
    pairs = hn::Zero(I16());
  }
};

#endif

// Loads f16 numbers as float.
HWY_INLINE VF LoadHalves(const uint8_t* p) {
  const hn::Rebind<hwy::float16_t, F32> halves;
  return hn::PromoteTo(F32(), hn::LoadU(halves, reinterpret_cast<const hwy::float16_t*>(p)));
}

// Computes one group's exact products of kRows rows, [kRows][stride] at `x`, and kVecs vectors of
// columns at `levels`. The pragmas unroll the loops over rows. Without them, GCC keeps the sums of
// many rows in memory.
template <class D, int kRows, int kVecs>
HWY_INLINE void Multiply(const int8_t* x, size_t stride, const uint8_t* levels, int parts,
                         D (&dots)[kRows][kVecs]) {
  const auto mask = hn::Set(U8(), 15);
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVecs; ++v) dots[r][v].Clear();
  }
  for (int p = 0; p < parts; ++p, x += kInt4Group, levels += kInt4LevelBytes) {
    for (int q = 0; q < kInt4Group / 8; ++q) {
      const uint8_t* from = levels + 4 * q * kInt8Block;
      VU8 w[kVecs];
      for (int v = 0; v < kVecs; ++v) {
        w[v] = hn::And(hn::LoadU(U8(), from + v * hn::Lanes(U8())), mask);
      }
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const V32 quad = Broadcast(x + r * stride + 4 * q);
#pragma GCC unroll 4
        for (int v = 0; v < kVecs; ++v) dots[r][v].Add(w[v], quad);
      }
      for (int v = 0; v < kVecs; ++v) {
        const auto bytes = hn::BitCast(U16(), hn::LoadU(U8(), from + v * hn::Lanes(U8())));
        w[v] = hn::And(hn::BitCast(U8(), hn::ShiftRight<4>(bytes)), mask);
      }
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const V32 quad = Broadcast(x + r * stride + 4 * q + kInt4Group / 2);
#pragma GCC unroll 4
        for (int v = 0; v < kVecs; ++v) dots[r][v].Add(w[v], quad);
      }
    }
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < kVecs; ++v) dots[r][v].EndPart();
    }
  }
}

// Computes all 64 columns for kRows rows, kVecs vectors of columns at a time. The sums stay in the
// first-level cache, so that the registers can hold the products of many rows.
template <class D, int kRows, int kVecs>
HWY_NOINLINE void Rows(const Int4Rows& rows, int first, const uint8_t* block, int groups,
                       float* sums) {
  const F32 f;
  const int lanes = static_cast<int>(hn::Lanes(f));
  // The copies are local because the compiler assumes that a store of a sum may change the members
  // of `rows`.
  const size_t stride = rows.stride;
  const int group = rows.group, parts = group / kInt4Group, bytes = Int4GroupBytes(group);
  const int8_t* x = rows.s8 + first * stride;
  const Int4Rows::Terms* terms[kRows];
  for (int r = 0; r < kRows; ++r) terms[r] = rows.row_terms(first + r);
  for (int i = 0; i < kRows * kInt8Block; i += lanes) hn::StoreU(hn::Zero(f), f, sums + i);
  constexpr int kAhead = HWY_CAP_GE512 ? kFetchAhead512 : kFetchAhead;
  for (int g = 0; g < groups; ++g, block += bytes, x += group) {
    if (first == 0) {
      for (int i = 0; i < bytes; i += 64) hwy::Prefetch(block + kAhead + i);
    }
    const uint8_t* scales = block + parts * kInt4LevelBytes;
    for (int column = 0; column < kInt8Block; column += lanes * kVecs) {
      D dots[kRows][kVecs];
      Multiply<D, kRows, kVecs>(x, stride, block + 4 * column, parts, dots);
#pragma GCC unroll 4
      for (int v = 0; v < kVecs; ++v) {
        const uint8_t* halves = scales + 2 * (column + v * lanes);
        const VF scale = LoadHalves(halves);
        const VF minimum = LoadHalves(halves + 2 * kInt8Block);
#pragma GCC unroll 16
        for (int r = 0; r < kRows; ++r) {
          const Int4Rows::Terms of = terms[r][g];
          const VF dot = hn::ConvertTo(f, dots[r][v].sums);
          float* to = sums + r * kInt8Block + column + v * lanes;
          VF sum = hn::MulAdd(hn::Mul(scale, hn::Set(f, of.scale)), dot, hn::LoadU(f, to));
          hn::StoreU(hn::MulAdd(minimum, hn::Set(f, of.sum), sum), f, to);
        }
      }
    }
  }
}

#if HWY_CAP_GE512

inline constexpr int kTileRows = 8;  // most rows of Tile()

template <class D>
void Tile(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
          float* sums) {
  static constexpr decltype(&Rows<D, 1, 4>) kTiles[] = {Rows<D, 1, 4>, Rows<D, 2, 4>, Rows<D, 3, 4>,
                                                        Rows<D, 4, 4>, Rows<D, 5, 2>, Rows<D, 6, 2>,
                                                        Rows<D, 7, 2>, Rows<D, 8, 2>};
  kTiles[count - 1](rows, first, block, groups, sums);
}

#else

inline constexpr int kTileRows = 5;

// Computes a tile. The sizes are chosen so that its products fit 16 registers.
template <class D>
void Tile(const Int4Rows& rows, int first, int count, const uint8_t* block, int groups,
          float* sums) {
  static constexpr decltype(&Rows<D, 1, 4>) kTiles[] = {Rows<D, 1, 4>, Rows<D, 2, 2>, Rows<D, 3, 2>,
                                                        Rows<D, 4, 2>, Rows<D, 5, 2>};
  kTiles[count - 1](rows, first, block, groups, sums);
}

#endif

#include "engine/ops/linear/int4/amx_kernel-inl.h"

#endif

}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgegate {
namespace {

using enum CpuFeature;
[[maybe_unused]] constexpr auto kX86 = Architecture::kX86;
[[maybe_unused]] constexpr auto kArm = Architecture::kArm;

constexpr Int4Kernel kKernels[] = {
#if HWY_TARGETS & HWY_AVX3
    {{"amx", kX86, {kAvx512, kAvx512Vnni, kAmxInt8}, Activations::kS8},
     N_AVX3::kAmxRows,
     N_AVX3::kAmxRows,
     N_AVX3::AmxTile},
    {{"avx512-vnni", kX86, {kAvx512, kAvx512Vnni}, Activations::kS8},
     N_AVX3::kTileRows,
     6,
     N_AVX3::Tile<N_AVX3::VnniDot>},
    {{"avx512-pairs", kX86, {kAvx512}, Activations::kS8},
     N_AVX3::kTileRows,
     6,
     N_AVX3::Tile<N_AVX3::PairDot>},
#endif
#if HWY_TARGETS & HWY_AVX2
#ifdef EDGEGATE_EMULATED
    {{"amx-emulated", kX86, {kAvx2, kAvxVnni, kAmxInt8}, Activations::kS8},
     N_AVX2::kAmxRows,
     N_AVX2::kAmxRows,
     N_AVX2::AmxTile},
#endif
    {{"avx-vnni", kX86, {kAvx2, kAvxVnni}, Activations::kS8},
     N_AVX2::kTileRows,
     4,
     N_AVX2::Tile<N_AVX2::VnniDot>},
    {{"avx2-pairs", kX86, {kAvx2}, Activations::kS8}, 5, 5, Int4TileAvx2},
#endif
#if defined(__x86_64__)
    {{"sse4-pairs", kX86, {kSse4}, Activations::kS8}, 5, 5, Int4TileSse4},
#elif defined(__aarch64__)
    {{"i8mm", kArm, {kDotprod, kI8mm}, Activations::kS8}, 8, 8, Int4TileI8mm},
    {{"dotprod", kArm, {kDotprod}, Activations::kS8}, 6, 4, Int4TileDotprod},
    {{"neon-pairs", kArm, {kNeon}, Activations::kS8}, 5, 4, Int4TileNeon},
#endif
    {{"scalar", Architecture::kAny, {}, Activations::kS8}, 4, 4, Int4TileReference},
};

}  // namespace

std::span<const Int4Kernel> Int4Kernels() { return kKernels; }

const Int4Kernel& SelectInt4Kernel() { return *SelectKernel(Int4Kernels()); }

}  // namespace edgegate
#endif
