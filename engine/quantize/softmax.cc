#include "engine/quantize/softmax.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/quantize/softmax.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "engine/base/portable_math.h"

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

// Rounds the product and the sum, so that processors without a fused multiply-add give the same
// bits.
HWY_INLINE hn::Vec<F64> MulThenAdd(hn::Vec<F64> a, hn::Vec<F64> b, hn::Vec<F64> c) {
  return hn::Add(hn::Mul(a, b), c);
}

HWY_INLINE hn::Vec<F32> Exp(hn::Vec<F32> x) {
  const F64 d;
  const I64 i;
  const auto wide = hn::PromoteTo(d, x), steps = hn::Set(d, kStepsPerUnit);
  const auto rounded = MulThenAdd(steps, wide, hn::Set(d, kRound));
  const auto k = hn::BitCast(i, rounded);
  const auto r = hn::Sub(hn::Mul(steps, wide), hn::Sub(rounded, hn::Set(d, kRound)));
  const auto entry = hn::GatherIndex(i, kExp2Table, hn::And(k, hn::Set(i, 31)));
  const auto scale = hn::BitCast(d, hn::Add(entry, hn::ShiftLeft<47>(k)));
  const auto high = MulThenAdd(hn::Set(d, kC0), r, hn::Set(d, kC1));
  const auto low = MulThenAdd(hn::Set(d, kC2), r, hn::Set(d, 1.0));
  const auto y = hn::Mul(MulThenAdd(high, hn::Mul(r, r), low), scale);
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
