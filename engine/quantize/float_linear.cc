#include "engine/quantize/float_linear.h"

#include <cmath>

#include "engine/base/thread_pool.h"
#include "engine/quantize/float_gemm.h"

namespace edgegate {

std::vector<float> RmsNormFloat(const std::vector<float>& x, const std::vector<float>& weight,
                                int columns, float eps) {
  std::vector<float> out(x.size());
  ParallelFor(std::ssize(x) / columns, [&](int64_t row) {
    const float* from = x.data() + row * columns;
    float* to = out.data() + row * columns;
    double sum = 0;
    for (int i = 0; i < columns; ++i) sum += double{from[i]} * from[i];
    const auto inverse = static_cast<float>(1.0 / std::sqrt(sum / columns + double{eps}));
    for (int i = 0; i < columns; ++i) to[i] = from[i] * inverse * weight[i];
  });
  return out;
}

std::vector<float> LinearFloat(const std::vector<float>& x, const std::vector<float>& w, int n,
                               int k, const std::vector<float>& bias) {
  const auto m = static_cast<int64_t>(x.size()) / k;
  std::vector<float> out(static_cast<size_t>(m * n));
  Gemm(m, n, k, 1.0f, {x.data(), k}, {w.data(), k, true}, 0.0f, out.data(), n);
  if (!bias.empty()) {
    ParallelFor(m, [&](int64_t row) {
      for (int i = 0; i < n; ++i) out[row * n + i] += bias[i];
    });
  }
  return out;
}

std::vector<float> LayerNormFloat(const std::vector<float>& x, const std::vector<float>& weight,
                                  const std::vector<float>& bias, int columns, float eps) {
  std::vector<float> out(x.size());
  ParallelFor(std::ssize(x) / columns, [&](int64_t row) {
    const float* from = x.data() + row * columns;
    float* to = out.data() + row * columns;
    double sum = 0, squares = 0;
    for (int i = 0; i < columns; ++i) sum += double{from[i]};
    const double mean = sum / columns;
    for (int i = 0; i < columns; ++i) squares += (from[i] - mean) * (from[i] - mean);
    const double inverse = 1.0 / std::sqrt(squares / columns + double{eps});
    for (int i = 0; i < columns; ++i) {
      to[i] = static_cast<float>((from[i] - mean) * inverse) * weight[i] + bias[i];
    }
  });
  return out;
}

}  // namespace edgegate
