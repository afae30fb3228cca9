// The largest difference of a comparison.
#pragma once

#include <cmath>

namespace edgegate {

// Returns the larger of the two, or NaN if one of them is NaN. std::max(worst, NaN) is `worst`,
// which would hide a NaN from a comparison with a bound.
template <typename T>
T Worst(T worst, T difference) {
  if (std::isnan(worst)) return worst;
  return difference <= worst ? worst : difference;
}

}  // namespace edgegate
