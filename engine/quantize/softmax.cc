#include "engine/quantize/softmax.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/quantize/softmax.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#ifndef EDGEGATE_QUANTIZE_SOFTMAX_TABLE
#define EDGEGATE_QUANTIZE_SOFTMAX_TABLE
namespace edgegate {

// The bits of 2^(i/32), minus i << 47. Adding k << 47 gives 2^(k/32) for each k with k % 32 = i.
alignas(64) inline constexpr int64_t kExpTable[32] = {
    0x3ff0000000000000, 0x3fefd9b0d3158574, 0x3fefb5586cf9890f, 0x3fef9301d0125b51,
    0x3fef72b83c7d517b, 0x3fef54873168b9aa, 0x3fef387a6e756238, 0x3fef1e9df51fdee1,
    0x3fef06fe0a31b715, 0x3feef1a7373aa9cb, 0x3feedea64c123422, 0x3feece086061892d,
    0x3feebfdad5362a27, 0x3feeb42b569d4f82, 0x3feeab07dd485429, 0x3feea47eb03a5585,
    0x3feea09e667f3bcd, 0x3fee9f75e8ec5f74, 0x3feea11473eb0187, 0x3feea589994cce13,
    0x3feeace5422aa0db, 0x3feeb737b0cdc5e5, 0x3feec49182a3f090, 0x3feed503b23e255d,
    0x3feee89f995ad3ad, 0x3feeff76f2fb5e47, 0x3fef199bdd85529c, 0x3fef3720dcef9069,
    0x3fef5818dcfba487, 0x3fef7c97337b9b5f, 0x3fefa4afa2a490da, 0x3fefd0765b6e4540};

}  // namespace edgegate
#endif

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using F64 = hn::CappedTag<double, 8>;
using I64 = hn::RebindToSigned<F64>;
using F32 = hn::Rebind<float, F64>;

constexpr double kStepsPerUnit = 0x1.71547652b82fep+0 * 32;  // 32 / ln 2
constexpr double kRound = 0x1.8p+52;  // adding it rounds to an integer, in the low bits
constexpr double kC0 = 0x1.c6af84b912394p-5 / 32 / 32 / 32;
constexpr double kC1 = 0x1.ebfce50fac4f3p-3 / 32 / 32;
constexpr double kC2 = 0x1.62e42ff0c52d6p-1 / 32;
constexpr float kUnderflow = -0x1.9fe368p6f;  // exp(x) is zero for smaller x

HWY_INLINE hn::Vec<F32> Exp(hn::Vec<F32> x) {
  const F64 d;
  const I64 i;
  const auto wide = hn::PromoteTo(d, x), steps = hn::Set(d, kStepsPerUnit);
  const auto rounded = hn::MulAdd(steps, wide, hn::Set(d, kRound));
  const auto k = hn::BitCast(i, rounded);
  const auto r = hn::MulSub(steps, wide, hn::Sub(rounded, hn::Set(d, kRound)));
  const auto entry = hn::GatherIndex(i, kExpTable, hn::And(k, hn::Set(i, 31)));
  const auto scale = hn::BitCast(d, hn::Add(entry, hn::ShiftLeft<47>(k)));
  const auto high = hn::MulAdd(hn::Set(d, kC0), r, hn::Set(d, kC1));
  const auto low = hn::MulAdd(hn::Set(d, kC2), r, hn::Set(d, 1.0));
  const auto y = hn::Mul(hn::MulAdd(high, hn::Mul(r, r), low), scale);
  const F32 f;
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(f, kUnderflow)), hn::DemoteTo(f, y));
}

void ExpImpl(float shift, float* x, int n) {
  const F32 d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const auto subtract = hn::Set(d, shift);
  int i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(Exp(hn::Sub(hn::LoadU(d, x + i), subtract)), d, x + i);
  }
  if (i == n) return;
  HWY_ALIGN float last[8] = {};
  std::fill_n(last, 8, shift);
  std::copy(x + i, x + n, last);
  hn::Store(Exp(hn::Sub(hn::Load(d, last), subtract)), d, last);
  std::copy_n(last, n - i, x + i);
}

float MaximumImpl(const float* x, int n) {
  const hn::CappedTag<float, 16> d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  auto most = hn::Set(d, x[0]);
  int i = 0;
  for (; i + lanes <= n; i += lanes) most = hn::Max(most, hn::LoadU(d, x + i));
  float largest = hn::GetLane(hn::MaxOfLanes(d, most));
  for (; i < n; ++i) largest = std::max(largest, x[i]);
  return largest;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgegate {
namespace {

HWY_EXPORT(ExpImpl);
HWY_EXPORT(MaximumImpl);

// Divides kRows rows by their sums. The additions of several rows overlap.
template <int kRows>
void DivideBySums(float* x, int64_t stride, int n) {
  float sums[kRows] = {};
  for (int i = 0; i < n; ++i) {
    for (int row = 0; row < kRows; ++row) sums[row] += x[row * stride + i];
  }
  for (int row = 0; row < kRows; ++row) {
    for (int i = 0; i < n; ++i) x[row * stride + i] /= sums[row];
  }
}

}  // namespace

void ExpBelow(float shift, float* x, int n) { HWY_DYNAMIC_DISPATCH(ExpImpl)(shift, x, n); }

void SoftmaxRows(float* x, int64_t stride, int rows, int n) {
  for (int row = 0; row < rows; ++row) {
    float* values = x + row * stride;
    ExpBelow(HWY_DYNAMIC_DISPATCH(MaximumImpl)(values, n), values, n);
  }
  for (; rows >= 4; rows -= 4, x += 4 * stride) DivideBySums<4>(x, stride, n);
  for (; rows > 0; --rows, x += stride) DivideBySums<1>(x, stride, n);
}

}  // namespace edgegate
#endif
