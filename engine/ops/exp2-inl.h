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

// 2^x for x <= 0, to 2e-7 of it; zero below 2^-126 and of what is no number. Cephes' polynomial
// (Moshier 1989, exp2f.c).
template <class D>
HWY_INLINE hwy::HWY_NAMESPACE::Vec<D> Exp2(D f, hwy::HWY_NAMESPACE::Vec<D> x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::RebindToSigned<D> i32;
  const auto least = hn::Set(f, -126.0f);
  const auto inside = hn::Max(x, least);
  const auto whole = hn::NearestInt(inside);
  const auto part = hn::Sub(inside, hn::ConvertTo(f, whole));
  auto p = hn::Set(f, 1.535336188319500e-4f);
  p = hn::MulAdd(p, part, hn::Set(f, 1.339887440266574e-3f));
  p = hn::MulAdd(p, part, hn::Set(f, 9.618437357674640e-3f));
  p = hn::MulAdd(p, part, hn::Set(f, 5.550332471162809e-2f));
  p = hn::MulAdd(p, part, hn::Set(f, 2.402264791363012e-1f));
  p = hn::MulAdd(p, part, hn::Set(f, 6.931472028550421e-1f));
  p = hn::MulAdd(p, part, hn::Set(f, 1.0f));
  const auto power = hn::ShiftLeft<23>(hn::Add(whole, hn::Set(i32, 127)));
  return hn::IfThenElseZero(hn::Ge(x, least), hn::Mul(p, hn::BitCast(f, power)));
}

// 1 / (1 + exp(-x)).
template <class D>
HWY_INLINE hwy::HWY_NAMESPACE::Vec<D> Sigmoid(D f, hwy::HWY_NAMESPACE::Vec<D> x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const auto one = hn::Set(f, 1.0f);
  const auto tail = Exp2(f, hn::Mul(hn::Abs(x), hn::Set(f, -kLog2E)));
  return hn::Div(hn::IfThenElse(hn::Lt(x, hn::Zero(f)), tail, one), hn::Add(one, tail));
}

}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#endif
