// The x86 kernels, AVX2, AVX-VNNI, AVX-512 and AVX-512-VNNI, are instances of one template.

#include "engine/ops/linear/int8/kernel.h"

#include <cstring>

#include "engine/ops/linear/int8/weights.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/linear/int8/kernel.cc"
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

using I32 = hn::ScalableTag<int32_t>;
using V32 = hn::Vec<I32>;

// Exact products with VNNI. Each column has one sum.
struct VnniDot {
  static constexpr int kSumsPerColumn = 1;
  static HWY_INLINE int Columns() { return static_cast<int>(hn::Lanes(I32())); }
  static HWY_INLINE V32 LoadActivations(const Int8Rows& rows, int row, int quad) {
    int32_t value;
    std::memcpy(&value, rows.u8 + row * rows.stride + 4 * quad, 4);
    return hn::Set(I32(), value);
  }
  static HWY_INLINE V32 LoadWeights(const int8_t* p) {
    return hn::Load(I32(), reinterpret_cast<const int32_t*>(p));
  }
  static HWY_INLINE V32 Dot(V32 acc, V32 activations, V32 weights) {
    return DotVnni(acc, activations, weights);
  }
};

// Exact products without VNNI. vpmaddubsw saturates, so both operands are widened to s16 first.
// Each column has two partial sums, of the first and of the second halves of the quads.
struct WidenDot {
  static constexpr int kSumsPerColumn = 2;
  using I16 = hn::ScalableTag<int16_t>;
  using V16 = hn::Vec<I16>;
  static HWY_INLINE int Columns() { return static_cast<int>(hn::Lanes(I32())) / 2; }
  static HWY_INLINE V16 LoadActivations(const Int8Rows& rows, int row, int quad) {
    int64_t value;
    std::memcpy(&value, rows.s16 + row * rows.stride + 4 * quad, 8);
    return hn::BitCast(I16(), hn::Set(hn::ScalableTag<int64_t>(), value));
  }
  static HWY_INLINE V16 LoadWeights(const int8_t* p) {
    return hn::PromoteTo(I16(), hn::Load(hn::Rebind<int8_t, I16>(), p));
  }
  static HWY_INLINE V32 Dot(V32 acc, V16 activations, V16 weights) {
    V32 unused = hn::Zero(I32());
    return hn::ReorderWidenMulAccumulate(I32(), activations, weights, acc, unused);
  }
};

// Computes kVecs vectors of columns from column `column` on, for kRows rows, over quads [begin,
// end). Adds to `sums` [kRows][64 * kSumsPerColumn], or overwrites it if `begin` is 0. The pragmas
// unroll the loops at -O2 too, so that the sums stay in registers.
template <class D, int kRows, int kVecs>
HWY_INLINE void Group(const Int8Rows& rows, int first, const int8_t* block, int column, int begin,
                      int end, int32_t* sums) {
  const I32 d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const int columns = D::Columns();
  V32 acc[kRows][kVecs];
  int32_t* out = sums + column * D::kSumsPerColumn;
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kVecs; ++v) {
      acc[r][v] =
          begin == 0 ? hn::Zero(d) : hn::Load(d, out + r * 64 * D::kSumsPerColumn + v * lanes);
    }
  }
  const int8_t* slice = block + size_t{256} * begin;
  const int8_t* weights = slice + 4 * column;
  // The prefetches of all columns of a slice are sequential in memory.
  const int8_t* ahead =
      slice + size_t{4} * column * (end - begin) + (HWY_CAP_GE512 ? kFetchAhead512 : kFetchAhead);
  for (int q = begin; q < end; ++q, weights += 256, ahead += 4 * columns * kVecs) {
    if (first == 0) {
      for (int i = 0; i < 4 * columns * kVecs; i += 64) hwy::Prefetch(ahead + i);
    }
    decltype(D::LoadWeights(weights)) w[kVecs];
#pragma GCC unroll 8
    for (int v = 0; v < kVecs; ++v) w[v] = D::LoadWeights(weights + 4 * columns * v);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const auto a = D::LoadActivations(rows, first + r, q);
#pragma GCC unroll 8
      for (int v = 0; v < kVecs; ++v) acc[r][v] = D::Dot(acc[r][v], a, w[v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kVecs; ++v) {
      hn::Store(acc[r][v], d, out + r * 64 * D::kSumsPerColumn + v * lanes);
    }
  }
}

// Computes all 64 columns for kRows rows. If the sums do not fit the registers, the block is read
// in slices of k that stay in the first-level cache. The first rows load the block. Their slices
// have 1 KiB, so that memory is read nearly sequentially. The other rows have larger slices, so
// that sums are stored and loaded less often.
template <class D, int kRows, int kVecs>
HWY_NOINLINE void Rows(const Int8Rows& rows, int first, const int8_t* block, int quads,
                       int32_t* acc) {
  HWY_ALIGN int32_t sums[kRows * 64 * D::kSumsPerColumn];
  const int step = D::Columns() * kVecs;
  const int slice = step >= 64 ? quads : first == 0 ? 4 : 32;
  for (int begin = 0; begin < quads; begin += slice) {
    const int end = begin + slice < quads ? begin + slice : quads;
    for (int column = 0; column < 64; column += step) {
      Group<D, kRows, kVecs>(rows, first, block, column, begin, end, sums);
    }
  }
  for (int i = 0; i < kRows * 64; ++i) {
    acc[i] = D::kSumsPerColumn == 1 ? sums[i] : sums[2 * i] + sums[2 * i + 1];
  }
}

// Computes a tile. The numbers of vectors of columns are chosen so that the sums, the weights and
// one activation fit 32 or 16 registers.
template <class D>
void Tile(const Int8Rows& rows, int first, int count, const int8_t* block, int quads,
          int32_t* acc) {
  static constexpr int kOne = HWY_CAP_GE512 ? 4 * D::kSumsPerColumn : 8;
  static constexpr int kMany = HWY_CAP_GE512 ? 4 : 2;
  static constexpr decltype(&Rows<D, 1, 4>) kTiles[] = {Rows<D, 1, kOne>,  Rows<D, 2, 4>,
                                                        Rows<D, 3, kMany>, Rows<D, 4, kMany>,
                                                        Rows<D, 5, kMany>, Rows<D, 6, kMany>};
  kTiles[count - 1](rows, first, block, quads, acc);
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
[[maybe_unused]] constexpr auto kArm = Architecture::kArm;

constexpr Int8Kernel kKernels[] = {
#if HWY_TARGETS & HWY_AVX3
    {{"avx512-vnni", kX86, {kAvx512, kAvx512Vnni}, Activations::kU8},
     6,
     N_AVX3::Tile<N_AVX3::VnniDot>},
    {{"avx512-widen", kX86, {kAvx512}, Activations::kS16}, 6, N_AVX3::Tile<N_AVX3::WidenDot>},
#endif
#if HWY_TARGETS & HWY_AVX2
    {{"avx-vnni", kX86, {kAvx2, kAvxVnni}, Activations::kU8}, 6, N_AVX2::Tile<N_AVX2::VnniDot>},
    {{"avx2-widen", kX86, {kAvx2}, Activations::kS16},
     6,
     N_AVX2::Tile<N_AVX2::WidenDot>,
     0,
     &kInt8StripsAvx2},
#endif
#if defined(__x86_64__)
    {{"sse4-widen", kX86, {kSse4}, Activations::kS16}, 6, Int8TileSse4, 0, &kInt8StripsSse4},
#elif defined(__aarch64__)
    {{"i8mm", kArm, {kDotprod, kI8mm}, Activations::kU8}, 8, Int8TileI8mm, 128},
    {{"dotprod", kArm, {kDotprod}, Activations::kU8}, 8, Int8TileDotprod, 128},
    {{"neon-widen", kArm, {kNeon}, Activations::kU8}, 4, Int8TileNeon, 128},
#endif
    {{"scalar", Architecture::kAny, {}, Activations::kU8}, 4, Int8TileReference},
};

}  // namespace

std::span<const Int8Kernel> Int8Kernels() { return kKernels; }

const Int8Kernel& SelectInt8Kernel() { return *SelectKernel(Int8Kernels()); }

}  // namespace edgegate
#endif
