// The kernels are instances of one template, for each of Highway's targets.

#include "engine/ops/linear/int16/kernel.h"

#include <cstring>
#include <limits>

#include "engine/ops/linear/int16/weights.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/linear/int16/kernel.cc"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Must be included after highway.h.
#include "engine/ops/isa/vnni-inl.h"

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::CappedTag<float, 16>;
using I32 = hn::RebindToSigned<F32>;
using VF = hn::Vec<F32>;

void RoundImpl(const float* values, int count, int padded, int most, int16_t* levels,
               float* scale) {
  const F32 f;
  const hn::Rebind<int16_t, F32> i16;
  const int lanes = static_cast<int>(hn::Lanes(f));
  VF top = hn::Zero(f);
  bool finite = true;
  int i = 0;
  for (; i + lanes <= count; i += lanes) {
    const VF size = hn::Abs(hn::LoadU(f, values + i));
    finite = finite && hn::AllTrue(f, hn::Le(size, hn::Set(f, 1e35f)));
    top = hn::Max(top, size);
  }
  float largest = hn::GetLane(hn::MaxOfLanes(f, top));
  for (; i < count; ++i) {
    const float size = values[i] < 0 ? -values[i] : values[i];
    finite = finite && size <= 1e35f;
    largest = size > largest ? size : largest;
  }
  const bool rounds = finite && largest >= 1e-35f;
  *scale = rounds   ? largest / static_cast<float>(most)
           : finite ? 0.0f
                    : std::numeric_limits<float>::quiet_NaN();
  std::memset(levels, 0, sizeof(int16_t) * static_cast<size_t>(padded));
  if (!rounds) return;
  const VF inverse = hn::Set(f, static_cast<float>(most) / largest);
  const auto round = [&](const float* from) HWY_ATTR {
    return hn::DemoteTo(i16, hn::NearestInt(hn::Mul(hn::LoadU(f, from), inverse)));
  };
  for (i = 0; i + lanes <= count; i += lanes) hn::StoreU(round(values + i), i16, levels + i);
  if (i == count) return;
  HWY_ALIGN float last[16] = {};
  HWY_ALIGN int16_t rounded[16];
  std::memcpy(last, values + i, sizeof(float) * static_cast<size_t>(count - i));
  hn::StoreU(round(last), i16, rounded);
  std::memcpy(levels + i, rounded, sizeof(int16_t) * static_cast<size_t>(count - i));
}

#if HWY_TARGET != HWY_SCALAR

using I16 = hn::Repartition<int16_t, I32>;
using V32 = hn::Vec<I32>;
using V16 = hn::Vec<I16>;

// Return acc plus, in each lane, the products of one column's pair of levels, of vectors of pairs.
#if HWY_ARCH_X86
struct PairDot {
  static HWY_INLINE V32 Add(V32 acc, V16 weights, V16 activations) {
#if HWY_CAP_GE256
    // The compiler must not separate a product from its sum: then it holds one product at a time,
    // and all sums stay in registers.
    V32 product;
    asm("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0"
        : "+v"(acc.raw), "=&v"(product.raw)
        : "v"(weights.raw), "v"(activations.raw));
    return acc;
#else
    V32 unused = hn::Zero(I32());
    return hn::ReorderWidenMulAccumulate(I32(), activations, weights, acc, unused);
#endif
  }
};
#if HWY_CAP_GE256
struct VnniPairDot {
  static HWY_INLINE V32 Add(V32 acc, V16 weights, V16 activations) {
    return DotPairsVnni(acc, weights, activations);
  }
};
#endif
#elif HWY_ARCH_ARM_A64
struct PairDot {
  static HWY_INLINE V32 Add(V32 acc, V16 weights, V16 activations) {
    const int32x4_t low = vmull_s16(vget_low_s16(weights.raw), vget_low_s16(activations.raw));
    return hn::Add(acc, V32(vpaddq_s32(low, vmull_high_s16(weights.raw, activations.raw))));
  }
};
#endif

// Adds a group's products of kRows rows and kVecs vectors of columns to `sums`, or overwrites it.
// `x` is the group's levels of the first row. Prefetches these columns of the next group.
// The pragmas unroll the loops at -O2 too, so that the sums stay in registers.
template <class D, int kRows, int kVecs>
HWY_INLINE void Columns(const int16_t* x, size_t stride, const int16_t* weights, bool add,
                        float* sums) {
  const F32 f;
  const int lanes = static_cast<int>(hn::Lanes(f));
  V32 acc[kRows][kVecs];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kVecs; ++v) acc[r][v] = hn::Zero(I32());
  }
  for (int pair = 0; pair < kInt16Group / 2; ++pair, x += 2, weights += 2 * kInt8Block) {
    const int16_t* next = weights + kInt16Group * kInt8Block;
    for (int i = 0; i < 2 * lanes * kVecs; i += 32) hwy::Prefetch(next + i);
    V16 w[kVecs];
#pragma GCC unroll 8
    for (int v = 0; v < kVecs; ++v) w[v] = hn::LoadU(I16(), weights + 2 * lanes * v);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      int32_t both;
      std::memcpy(&both, x + r * stride, sizeof both);
      const V16 a = hn::BitCast(I16(), hn::Set(I32(), both));
#pragma GCC unroll 8
      for (int v = 0; v < kVecs; ++v) acc[r][v] = D::Add(acc[r][v], w[v], a);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kVecs; ++v) {
      float* to = sums + r * kInt8Block + v * lanes;
      VF total = hn::ConvertTo(f, acc[r][v]);
      if (add) total = hn::Add(hn::LoadU(f, to), total);
      hn::StoreU(total, f, to);
    }
  }
}

// Adds a group's products of kRows rows and all 64 columns to `sums`, or overwrites it.
template <class D, int kRows, int kVecs>
HWY_NOINLINE void Group(const int16_t* x, size_t stride, const int16_t* weights, bool add,
                        float* sums) {
  const int step = kVecs * static_cast<int>(hn::Lanes(F32()));
  for (int column = 0; column < kInt8Block; column += step) {
    Columns<D, kRows, kVecs>(x, stride, weights + 2 * column, add, sums + column);
  }
}

// Computes a tile, group by group. A group of weights stays in the first-level cache for all rows.
// The numbers of vectors of columns are chosen so that the sums, the weights and one activation fit
// 32 or 16 registers.
template <class D>
void Tile(const Int16RowsView& rows, int first, int count, const Int16Block& block, float* sums) {
  static constexpr int kMost = 6;  // rows at a time
  static constexpr int kOne = HWY_CAP_GE512 ? 4 : 8;
  static constexpr int kMany = HWY_CAP_GE512 ? 4 : 2;
  static constexpr decltype(&Group<D, 1, 4>) kGroups[kMost] = {
      Group<D, 1, kOne>,  Group<D, 2, 4>,     Group<D, 3, kMany>,
      Group<D, 4, kMany>, Group<D, 5, kMany>, Group<D, 6, kMany>};
  const int parts = (count + kMost - 1) / kMost;
  const int16_t* x = rows.levels + first * rows.stride;
  const int16_t* weights = block.levels;
  for (int g = 0; g < block.groups; ++g, x += kInt16Group, weights += kInt16Group * kInt8Block) {
    for (int part = 0; part < parts; ++part) {
      const int begin = count * part / parts, end = count * (part + 1) / parts;
      kGroups[end - begin - 1](x + begin * rows.stride, rows.stride, weights, g > 0,
                               sums + begin * kInt8Block);
    }
  }
  const F32 f;
  for (int r = 0; r < count; ++r) {
    const VF scale = hn::Set(f, rows.scale[first + r]);
    float* row = sums + r * kInt8Block;
    for (int c = 0; c < kInt8Block; c += static_cast<int>(hn::Lanes(f))) {
      const VF both = hn::Mul(scale, hn::LoadU(f, block.scale + c));
      hn::StoreU(hn::Mul(hn::LoadU(f, row + c), both), f, row + c);
    }
  }
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgegate {
namespace {

using enum CpuFeature;
[[maybe_unused]] constexpr auto kX86 = Architecture::kX86;

constexpr Int16Kernel kKernels[] = {
#if HWY_TARGETS & HWY_AVX3
    {{"avx512-vnni", kX86, {kAvx512, kAvx512Vnni}, Activations::kS16},
     N_AVX3::Tile<N_AVX3::VnniPairDot>},
    {{"avx512", kX86, {kAvx512}, Activations::kS16}, N_AVX3::Tile<N_AVX3::PairDot>},
#endif
#if HWY_TARGETS & HWY_AVX2
    {{"avx-vnni", kX86, {kAvx2, kAvxVnni}, Activations::kS16}, N_AVX2::Tile<N_AVX2::VnniPairDot>},
    {{"avx2", kX86, {kAvx2}, Activations::kS16}, N_AVX2::Tile<N_AVX2::PairDot>},
#endif
#if HWY_TARGETS & HWY_SSE4
    {{"sse4", kX86, {kSse4, kSse42}, Activations::kS16}, N_SSE4::Tile<N_SSE4::PairDot>},
#endif
#if HWY_ARCH_ARM_A64
    {{"neon", Architecture::kArm, {kNeon}, Activations::kS16},
     HWY_NAMESPACE::Tile<HWY_NAMESPACE::PairDot>},
#endif
    {{"scalar", Architecture::kAny, {}, Activations::kS16}, Int16TileReference},
};

}  // namespace

HWY_EXPORT(RoundImpl);

void RoundToInt16(const float* values, int count, int padded, int most, int16_t* levels,
                  float* scale) {
  HWY_DYNAMIC_DISPATCH(RoundImpl)(values, count, padded, most, levels, scale);
}

std::span<const Int16Kernel> Int16Kernels() { return kKernels; }

const Int16Kernel& SelectInt16Kernel() { return *SelectKernel(Int16Kernels()); }

}  // namespace edgegate
#endif
