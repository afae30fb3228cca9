// 2^x for vectors, shared by kernels: included once for each of Highway's targets, as its own
// contrib/*-inl.h are.
#if defined(EDGEGATE_EXP2_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EDGEGATE_EXP2_INL_H_
#undef EDGEGATE_EXP2_INL_H_
#else
#define EDGEGATE_EXP2_INL_H_
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {

inline constexpr float kLog2E = 1.44269504088896341f;

// 2^x for x of -126 to 126, to 2e-7 of it. Cephes' polynomial (Moshier 1989, exp2f.c).
template <class D>
HWY_INLINE hwy::HWY_NAMESPACE::Vec<D> Exp2Inside(D f, hwy::HWY_NAMESPACE::Vec<D> x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::RebindToSigned<D> i32;
  // Adding 1.5 * 2^23 leaves no bits for a fraction: what is below it are whole numbers.
  const auto rounder = hn::Set(f, 12582912.0f);
  const auto whole = hn::Add(x, rounder);
  const auto part = hn::Sub(x, hn::Sub(whole, rounder));
  auto p = hn::Set(f, 1.535336188319500e-4f);
  p = hn::MulAdd(p, part, hn::Set(f, 1.339887440266574e-3f));
  p = hn::MulAdd(p, part, hn::Set(f, 9.618437357674640e-3f));
  p = hn::MulAdd(p, part, hn::Set(f, 5.550332471162809e-2f));
  p = hn::MulAdd(p, part, hn::Set(f, 2.402264791363012e-1f));
  p = hn::MulAdd(p, part, hn::Set(f, 6.931472028550421e-1f));
  p = hn::MulAdd(p, part, hn::Set(f, 1.0f));
  // To the exponent of a number near one; the rounder's own bits are shifted out.
  const auto power = hn::ShiftLeft<23>(hn::BitCast(i32, whole));
  return hn::BitCast(f, hn::Add(hn::BitCast(i32, p), power));
}

// 2^x for x <= 0, to 2e-7 of it; zero below 2^-126 and of what is no number.
template <class D>
HWY_INLINE hwy::HWY_NAMESPACE::Vec<D> Exp2(D f, hwy::HWY_NAMESPACE::Vec<D> x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const auto least = hn::Set(f, -126.0f);
  return hn::IfThenElseZero(hn::Ge(x, least), Exp2Inside(f, hn::Max(x, least)));
}

// 1 / (1 + exp(-x)); beyond 87 it stays what it is there, 1e-38 from zero or one.
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
