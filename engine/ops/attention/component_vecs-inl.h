// Divides the components of a head into groups of vectors whose sums fit the registers. The file is
// included once for each of Highway's targets, as exp2-inl.h is.
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

// Calls part(std::integral_constant<int, vectors>, first) until the vectors cover `dim` components.
// `vectors` is 5, 4, 2 or 1, at most kMax. A vector has `lanes` components. The last vector may
// extend past the end.
template <int kMax, class Part>
HWY_INLINE void ForComponents(int dim, int lanes, const Part& part) {
  const auto vectors = [&](auto vecs, int first) {
    part(vecs, first);
    return decltype(vecs)::value * lanes;
  };
  for (int d = 0; d < dim;) {
    const int left = (dim - d + lanes - 1) / lanes;
    if constexpr (kMax >= 5) {
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
