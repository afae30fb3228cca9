// Sums of floats in one order on each of Highway's targets. A sum has a fixed number of virtual
// lanes: term i is added to lane i % kSumLanes. Then the upper half of the lanes is added to the
// lower half, until one lane is left. A target keeps the lanes in as many vectors as it needs. The
// file is included once for each of Highway's targets, as Highway's own contrib/*-inl.h are.
#if defined(EDGEGATE_FIXED_SUM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EDGEGATE_FIXED_SUM_INL_H_
#undef EDGEGATE_FIXED_SUM_INL_H_
#else
#define EDGEGATE_FIXED_SUM_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {

// Returns the sum of a vector's lanes. Adds the upper half to the lower half first.
#if HWY_TARGET == HWY_SCALAR
template <class D>
HWY_INLINE float SumOfHalves(D, hwy::HWY_NAMESPACE::Vec<D> v) {
  return hwy::HWY_NAMESPACE::GetLane(v);
}
#else
template <class D>
HWY_INLINE float SumOfHalves(D, hwy::HWY_NAMESPACE::Vec<D> v) {
  namespace hn = hwy::HWY_NAMESPACE;
  if constexpr (hn::MaxLanes(D()) > 4) {
    const hn::Half<D> half;
    return SumOfHalves(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  } else {
    static_assert(hn::MaxLanes(D()) == 4);
    v = hn::Add(v, hn::Shuffle1032(v));
    return hn::GetLane(hn::Add(v, hn::Shuffle2301(v)));
  }
}
#endif

// The virtual lanes of a sum. The number of lanes is a power of two, and at least that of D.
template <class D, int kSumLanes>
class FixedSum {
 public:
  using V = hwy::HWY_NAMESPACE::Vec<D>;
  static constexpr int kLanes = static_cast<int>(hwy::HWY_NAMESPACE::MaxLanes(D()));
  static constexpr int kVecs = kSumLanes / kLanes;
  static_assert(kVecs >= 1);

  HWY_INLINE FixedSum() {
    for (V& sum : sums_) sum = hwy::HWY_NAMESPACE::Zero(D());
  }

  // Adds the terms of vector `v` of the kVecs vectors.
  HWY_INLINE void Add(int v, V terms) { sums_[v] = hwy::HWY_NAMESPACE::Add(sums_[v], terms); }

  // Ends the sum, and returns it.
  HWY_INLINE float Total() {
#pragma GCC unroll 8
    for (int n = kVecs / 2; n > 0; n /= 2) {
#pragma GCC unroll 8
      for (int v = 0; v < n; ++v) Add(v, sums_[v + n]);
    }
    return SumOfHalves(D(), sums_[0]);
  }

 private:
  V sums_[kVecs];
};

// Returns the sum of term(x[i]) for i < count, in 32 virtual lanes. `term` maps a vector of D to a
// vector.
template <class D, class Term>
HWY_INLINE float SumOfTerms(D f, const float* x, int count, Term term) {
  namespace hn = hwy::HWY_NAMESPACE;
  using Sum = FixedSum<D, 32>;
  Sum sum;
  int i = 0;
  for (; i + 32 <= count; i += 32) {
#pragma GCC unroll 8
    for (int v = 0; v < Sum::kVecs; ++v) sum.Add(v, term(hn::LoadU(f, x + i + v * Sum::kLanes)));
  }
  if (i < count) {
    // The terms after the end are zero. Adding zero changes no sum, because no sum is -0.
    HWY_ALIGN float last[32] = {};
    std::copy_n(x + i, count - i, last);
    for (int v = 0; v < Sum::kVecs; ++v) {
      const int left = std::clamp(count - i - v * Sum::kLanes, 0, Sum::kLanes);
      const auto exist = hn::FirstN(f, static_cast<size_t>(left));
      sum.Add(v, hn::IfThenElseZero(exist, term(hn::Load(f, last + v * Sum::kLanes))));
    }
  }
  return sum.Total();
}

}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#endif
