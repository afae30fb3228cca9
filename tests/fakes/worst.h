// The largest difference of a comparison.
#pragma once

#include <cmath>

namespace edgegate {

// The larger of the two, or NaN once there was one: std::max(worst, NaN) is `worst`, so that a
// comparison with a bound would hide it.
template <typename T>
T Worst(T worst, T difference) {
  if (std::isnan(worst)) return worst;
  return difference <= worst ? worst : difference;
}

}  // namespace edgegate
