// Linear layers and norms in float32, over contiguous rows. All functions compute in parallel.
#pragma once

#include <vector>

namespace edgegate {

// Returns x / sqrt(mean(x^2) + eps) * weight for each row of `columns` values.
std::vector<float> RmsNormFloat(const std::vector<float>& x, const std::vector<float>& weight,
                                int columns, float eps);

// Returns (x - mean) / sqrt(variance + eps) * weight + bias for each row of `columns` values.
std::vector<float> LayerNormFloat(const std::vector<float>& x, const std::vector<float>& weight,
                                  const std::vector<float>& bias, int columns, float eps);

// Returns out[m][n] = x[m][k] . w[n][k] + bias[n]. An empty bias counts as zeros.
std::vector<float> LinearFloat(const std::vector<float>& x, const std::vector<float>& w, int n,
                               int k, const std::vector<float>& bias);

}  // namespace edgegate
