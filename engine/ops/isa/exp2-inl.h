// 2^x and the sigmoid of vectors, shared by kernels. The file is included once for each of
// Highway's targets, as Highway's own contrib/*-inl.h are.
#if defined(EDGEGATE_EXP2_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EDGEGATE_EXP2_INL_H_
#undef EDGEGATE_EXP2_INL_H_
#else
#define EDGEGATE_EXP2_INL_H_
#endif

#include <hwy/highway.h>

#include "engine/ops/isa/fma-inl.h"

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {

inline constexpr float kLog2E = 1.44269504088896341f;

// Returns 2^x for x from -126 to 126, with a relative error of 2e-7. The polynomial is that of
// Cephes (Moshier 1989, exp2f.c).
template <class D>
HWY_INLINE hwy::HWY_NAMESPACE::Vec<D> Exp2Inside(D f, hwy::HWY_NAMESPACE::Vec<D> x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::RebindToSigned<D> i32;
  // A sum with 1.5 * 2^23 has no bits for a fraction. So the addition rounds to an integer.
  const auto rounder = hn::Set(f, 12582912.0f);
  const auto whole = hn::Add(x, rounder);
  const auto part = hn::Sub(x, hn::Sub(whole, rounder));
  auto p = hn::Set(f, 1.535336188319500e-4f);
  p = FusedMulAdd(f, p, part, hn::Set(f, 1.339887440266574e-3f));
  p = FusedMulAdd(f, p, part, hn::Set(f, 9.618437357674640e-3f));
  p = FusedMulAdd(f, p, part, hn::Set(f, 5.550332471162809e-2f));
  p = FusedMulAdd(f, p, part, hn::Set(f, 2.402264791363012e-1f));
  p = FusedMulAdd(f, p, part, hn::Set(f, 6.931472028550421e-1f));
  p = FusedMulAdd(f, p, part, hn::Set(f, 1.0f));
  // Adds the integer to the exponent of a number near one. The shift removes the bits of the
  // rounder.
  const auto power = hn::ShiftLeft<23>(hn::BitCast(i32, whole));
  return hn::BitCast(f, hn::Add(hn::BitCast(i32, p), power));
}

// Returns 2^x for x <= 0, with a relative error of 2e-7. Returns zero if x is below -126 or NaN.
template <class D>
HWY_INLINE hwy::HWY_NAMESPACE::Vec<D> Exp2(D f, hwy::HWY_NAMESPACE::Vec<D> x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const auto least = hn::Set(f, -126.0f);
  return hn::IfThenElseZero(hn::Ge(x, least), Exp2Inside(f, hn::Max(x, least)));
}

// Returns 1 / (1 + exp(-x)). The result is constant for |x| > 87, where it is 1e-38 from zero or
// one.
template <class D>
HWY_INLINE hwy::HWY_NAMESPACE::Vec<D> Sigmoid(D f, hwy::HWY_NAMESPACE::Vec<D> x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const auto one = hn::Set(f, 1.0f);
  const auto power = hn::Mul(x, hn::Set(f, -kLog2E));
  const auto inside = hn::Min(hn::Max(power, hn::Set(f, -126.0f)), hn::Set(f, 126.0f));
  return hn::Div(one, hn::Add(one, Exp2Inside(f, inside)));
}

}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#endif
