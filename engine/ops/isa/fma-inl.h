// The fused multiply-add of vectors of floats, with the same bits on each of Highway's targets.
// Highway's MulAdd rounds twice where the processor has no such instruction. The file is included
// once for each of Highway's targets, as Highway's own contrib/*-inl.h are.
#if defined(EDGEGATE_FMA_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EDGEGATE_FMA_INL_H_
#undef EDGEGATE_FMA_INL_H_
#else
#define EDGEGATE_FMA_INL_H_
#endif

#include <hwy/highway.h>

#include "engine/ops/isa/emulated_fma.h"

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {

// Returns a * b + c, rounded once.
template <class D>
HWY_INLINE hwy::HWY_NAMESPACE::Vec<D> FusedMulAdd(D f, hwy::HWY_NAMESPACE::Vec<D> a,
                                                  hwy::HWY_NAMESPACE::Vec<D> b,
                                                  hwy::HWY_NAMESPACE::Vec<D> c) {
  namespace hn = hwy::HWY_NAMESPACE;
#if HWY_NATIVE_FMA
  (void)f;
  return hn::MulAdd(a, b, c);
#elif HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR
  static_assert(hn::MaxLanes(D()) <= 4, "vectors of up to 128 bits");
  (void)f;
  return hn::Vec<D>{EmulatedMulAdd(a.raw, b.raw, c.raw)};
#else
  constexpr size_t kLanes = hn::MaxLanes(D());
  HWY_ALIGN float x[kLanes], y[kLanes], z[kLanes];
  hn::Store(a, f, x);
  hn::Store(b, f, y);
  hn::Store(c, f, z);
  for (size_t i = 0; i < kLanes; ++i) z[i] = EmulatedMulAdd(x[i], y[i], z[i]);
  return hn::Load(f, z);
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#endif
