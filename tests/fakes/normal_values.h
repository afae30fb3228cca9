// Random values for tests of kernels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace edgegate {

// Returns `count` values of a normal distribution. Equal arguments give equal values.
inline std::vector<float> Normal(size_t count, uint32_t seed, float mean = 0, float deviation = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(mean, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

}  // namespace edgegate
