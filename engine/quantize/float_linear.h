// Linear layers and norms in float32, over rows that are stored one after the other. In parallel.
#pragma once

#include <vector>

namespace edgegate {

// x / sqrt(mean(x^2) + eps) * weight for each row of `columns`.
std::vector<float> RmsNormFloat(const std::vector<float>& x, const std::vector<float>& weight,
                                int columns, float eps);

// (x - mean) / sqrt(variance + eps) * weight + bias for each row of `columns`.
std::vector<float> LayerNormFloat(const std::vector<float>& x, const std::vector<float>& weight,
                                  const std::vector<float>& bias, int columns, float eps);

// out[m][n] = x[m][k] . w[n][k] + bias[n]. An empty bias counts as zeros.
std::vector<float> LinearFloat(const std::vector<float>& x, const std::vector<float>& w, int n,
                               int k, const std::vector<float>& bias);

}  // namespace edgegate
