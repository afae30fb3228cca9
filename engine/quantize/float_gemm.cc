#include "engine/quantize/float_gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/quantize/float_gemm.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "engine/base/aligned_buffer.h"
#include "engine/base/thread_pool.h"

#ifndef EDGEGATE_QUANTIZE_FLOAT_GEMM_TILE
#define EDGEGATE_QUANTIZE_FLOAT_GEMM_TILE
namespace edgegate {

constexpr int64_t kTile = 256;   // rows and columns of the product
constexpr int64_t kDepth = 256;  // products that are summed before the sum is added to c
constexpr int64_t kSlack = 64;   // rows or columns that the last panel of a tile may have besides

// Copies of the factors of a tile, for kDepth products: panels of rows of a, and of columns of b.
struct TilePanels {
  AlignedBuffer<float> a{static_cast<size_t>((kTile + kSlack) * kDepth)};
  AlignedBuffer<float> b{static_cast<size_t>((kTile + kSlack) * kDepth)};
};

// A tile of a product, of at most kTile rows and columns.
struct TileProduct {
  int64_t m, n, k;
  float alpha;
  GemmFactor a, b;
  float beta;
  float* c;
  int64_t stride;
};

}  // namespace edgegate
#endif

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using F32 = hn::CappedTag<float, 16>;
using VF = hn::Vec<F32>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(F32()));

// Rows, and vectors of columns, whose sums fit the registers.
#if HWY_CAP_GE512
constexpr int kRows = 8, kVecs = 2;
#else
constexpr int kRows = 5, kVecs = 2;
#endif
constexpr int kColumns = kVecs * kLanes;

// Copies `lanes` rows of `count` numbers to panels [count][kWidth]. Number l of row i is at
// from[i * step] + l * depth_step, and one of the steps is 1. The last panel ends with zeros.
template <int kWidth>
void Pack(const float* from, int64_t step, int64_t depth_step, int64_t lanes, int64_t count,
          float* to) {
  for (int64_t first = 0; first < lanes; first += kWidth, to += kWidth * count) {
    const int64_t exist = std::min<int64_t>(kWidth, lanes - first);
    if (exist < kWidth) std::fill_n(to, kWidth * count, 0.0f);
    if (step == 1) {
      for (int64_t l = 0; l < count; ++l) {
        std::copy_n(from + first + l * depth_step, exist, to + l * kWidth);
      }
      continue;
    }
    for (int64_t i = 0; i < exist; ++i) {
      const float* row = from + (first + i) * step;
      for (int64_t l = 0; l < count; ++l) to[l * kWidth + i] = row[l];
    }
  }
}

// Sets out[kRows][kColumns] to the sums of `count` products of a panel of rows and a panel of
// columns.
HWY_INLINE void Multiply(const float* a, const float* b, int64_t count, float* out) {
  const F32 f;
  VF sums[kRows][kVecs];
  for (auto& row : sums) {
    for (VF& sum : row) sum = hn::Zero(f);
  }
  for (int64_t l = 0; l < count; ++l, a += kRows, b += kColumns) {
    VF columns[kVecs];
    for (int v = 0; v < kVecs; ++v) columns[v] = hn::LoadU(f, b + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const VF row = hn::Set(f, a[r]);
      for (int v = 0; v < kVecs; ++v) sums[r][v] = hn::Add(sums[r][v], hn::Mul(row, columns[v]));
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVecs; ++v) hn::StoreU(sums[r][v], f, out + r * kColumns + v * kLanes);
  }
}

// Adds alpha * sum to `count` numbers of a row of c. Multiplies them by beta before if `first`.
HWY_INLINE void AddSums(const TileProduct& t, bool first, const float* sums, int64_t count,
                        float* c) {
  for (int64_t j = 0; j < count; ++j) {
    const float scaled = t.alpha * sums[j];
    if (!first || t.beta == 1.0f) {
      c[j] += scaled;
    } else {
      c[j] = t.beta == 0.0f ? scaled : t.beta * c[j] + scaled;
    }
  }
}

void TileImpl(const TileProduct& t, TilePanels* panels) {
  HWY_ALIGN float sums[kRows * kColumns];
  static_assert(kRows <= kSlack && kColumns <= kSlack);
  for (int64_t k = 0; k == 0 || k < t.k; k += kDepth) {
    const int64_t count = std::min(kDepth, t.k - k);
    const int64_t a_step = t.a.transposed ? 1 : t.a.stride,
                  a_depth = t.a.transposed ? t.a.stride : 1;
    const int64_t b_step = t.b.transposed ? t.b.stride : 1,
                  b_depth = t.b.transposed ? 1 : t.b.stride;
    Pack<kRows>(t.a.data + k * a_depth, a_step, a_depth, t.m, count, panels->a.data());
    Pack<kColumns>(t.b.data + k * b_depth, b_step, b_depth, t.n, count, panels->b.data());
    for (int64_t j = 0; j < t.n; j += kColumns) {
      for (int64_t i = 0; i < t.m; i += kRows) {
        Multiply(panels->a.data() + i * count, panels->b.data() + j * count, count, sums);
        for (int64_t r = 0; r < std::min<int64_t>(kRows, t.m - i); ++r) {
          AddSums(t, k == 0, sums + r * kColumns, std::min<int64_t>(kColumns, t.n - j),
                  t.c + (i + r) * t.stride + j);
        }
      }
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgegate {
namespace {

HWY_EXPORT(TileImpl);

int64_t Across(int64_t n) { return (n + kTile - 1) / kTile; }

// Computes tile `tile` of the product.
void ComputeTile(const TileProduct& whole, int64_t tile) {
  thread_local TilePanels panels;
  const int64_t row = tile / Across(whole.n) * kTile, column = tile % Across(whole.n) * kTile;
  TileProduct part = whole;
  part.m = std::min(kTile, whole.m - row);
  part.n = std::min(kTile, whole.n - column);
  part.a.data += row * (whole.a.transposed ? 1 : whole.a.stride);
  part.b.data += column * (whole.b.transposed ? whole.b.stride : 1);
  part.c += row * whole.stride + column;
  HWY_DYNAMIC_DISPATCH(TileImpl)(part, &panels);
}

}  // namespace

void Gemm(int64_t m, int64_t n, int64_t k, float alpha, const GemmFactor& a, const GemmFactor& b,
          float beta, float* c, int64_t stride) {
  const TileProduct whole{m, n, k, alpha, a, b, beta, c, stride};
  ParallelFor(Across(m) * Across(n), [&](int64_t tile) { ComputeTile(whole, tile); });
}

void GemmOnThisThread(int64_t m, int64_t n, int64_t k, float alpha, const GemmFactor& a,
                      const GemmFactor& b, float beta, float* c, int64_t stride) {
  const TileProduct whole{m, n, k, alpha, a, b, beta, c, stride};
  for (int64_t tile = 0; tile < Across(m) * Across(n); ++tile) ComputeTile(whole, tile);
}

}  // namespace edgegate
#endif
