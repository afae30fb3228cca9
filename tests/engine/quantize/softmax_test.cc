#include "engine/quantize/softmax.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace edgegate {
namespace {

TEST_CASE("the exponential is within one unit in the last place, for all magnitudes") {
  // One of every 4,099 floats from -0 to minus infinity.
  std::vector<float> x;
  for (uint32_t bits = 0x80000000; bits <= 0xff800000; bits += 4099) {
    x.push_back(std::bit_cast<float>(bits));
  }
  x.push_back(-std::numeric_limits<float>::infinity());
  std::vector<float> out = x;
  ExpBelow(0.0f, out.data(), static_cast<int>(out.size()));
  int wrong = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const auto want = std::bit_cast<int32_t>(static_cast<float>(std::exp(double{x[i]})));
    wrong += std::abs(std::bit_cast<int32_t>(out[i]) - want) > 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("a softmax adds the values of a row in order, for rows of any length") {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0.0f, 5.0f);
  for (const int n : {1, 7, 8, 9, 33, 100}) {
    for (const int rows : {1, 4, 7}) {
      CAPTURE(n);
      const int stride = n + 3;
      std::vector<float> x(static_cast<size_t>(rows) * stride);
      for (float& value : x) value = normal(random);
      std::vector<float> want = x;
      for (int row = 0; row < rows; ++row) {
        float* values = want.data() + row * stride;
        ExpBelow(*std::max_element(values, values + n), values, n);
        float total = 0;
        for (int i = 0; i < n; ++i) total += values[i];
        for (int i = 0; i < n; ++i) values[i] /= total;
      }
      SoftmaxRows(x.data(), stride, rows, n);
      CHECK(x == want);
    }
  }
}

}  // namespace
}  // namespace edgegate
