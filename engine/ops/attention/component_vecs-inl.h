// Walks the components of a head by as many vectors as registers hold the sums of: included once
// for each of Highway's targets, as exp2-inl.h is.
#if defined(EDGEGATE_COMPONENT_VECS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EDGEGATE_COMPONENT_VECS_INL_H_
#undef EDGEGATE_COMPONENT_VECS_INL_H_
#else
#define EDGEGATE_COMPONENT_VECS_INL_H_
#endif

#include <hwy/highway.h>

#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {

// Calls part(std::integral_constant<int, vectors>, first) for 5, 4, 2 or 1 vectors of `lanes`
// components at a time, kMost at most, until they cover `dim`. The last may take in what stands
// behind.
template <int kMost, class Part>
HWY_INLINE void ForComponents(int dim, int lanes, const Part& part) {
  const auto vectors = [&](auto vecs, int first) {
    part(vecs, first);
    return decltype(vecs)::value * lanes;
  };
  for (int d = 0; d < dim;) {
    const int left = (dim - d + lanes - 1) / lanes;
    if constexpr (kMost >= 5) {
      if (left == 5) {
        d += vectors(std::integral_constant<int, 5>(), d);
        continue;
      }
      if (left >= 4) {
        d += vectors(std::integral_constant<int, 4>(), d);
        continue;
      }
    }
    d += left >= 2 ? vectors(std::integral_constant<int, 2>(), d)
                   : vectors(std::integral_constant<int, 1>(), d);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#endif
