#include "engine/quantize/smooth_quant.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/base/portable_math.h"
#include "engine/base/thread_pool.h"

namespace edgegate {

void RaiseTo(std::vector<float>* maxima, const std::vector<float>& other) {
  for (size_t i = 0; i < maxima->size(); ++i) (*maxima)[i] = std::max((*maxima)[i], other[i]);
}

void RaiseToMagnitudes(const float* rows, int64_t count, std::vector<float>* maxima) {
  const auto columns = std::ssize(*maxima);
  float* largest = maxima->data();
  for (; count > 0; --count, rows += columns) {
    for (int64_t i = 0; i < columns; ++i) largest[i] = std::max(largest[i], std::fabs(rows[i]));
  }
}

void ScaleColumns(std::vector<float>* w, const std::vector<float>& factors) {
  const auto columns = std::ssize(factors);
  ParallelFor(std::ssize(*w) / columns, [&](int64_t row) {
    float* x = w->data() + row * columns;
    for (int64_t i = 0; i < columns; ++i) x[i] *= factors[i];
  });
}

void DivideRows(std::vector<float>* w, const std::vector<float>& factors) {
  if (w->empty()) return;
  const int64_t columns = std::ssize(*w) / std::ssize(factors);
  ParallelFor(std::ssize(factors), [&](int64_t row) {
    float* x = w->data() + row * columns;
    for (int64_t i = 0; i < columns; ++i) x[i] /= factors[row];
  });
}

std::vector<float> ColumnMaxima(const std::vector<float>& x, int columns) {
  constexpr int64_t kMostParts = 64;
  const int64_t rows = std::ssize(x) / columns, parts = std::min(kMostParts, rows);
  std::vector<std::vector<float>> maxima(parts, std::vector<float>(static_cast<size_t>(columns)));
  ParallelFor(parts, [&](int64_t part) {
    const int64_t first = rows * part / parts, end = rows * (part + 1) / parts;
    RaiseToMagnitudes(x.data() + first * columns, end - first, &maxima[part]);
  });
  std::vector<float> all(static_cast<size_t>(columns));
  for (const auto& part : maxima) RaiseTo(&all, part);
  return all;
}

std::vector<float> SmoothingFactors(const std::vector<float>& activation_max,
                                    const std::vector<float>& weight_max) {
  std::vector<float> factors(activation_max.size(), 1.0f);
  for (size_t i = 0; i < factors.size(); ++i) {
    if (activation_max[i] < 1e-10f || weight_max[i] < 1e-10f) continue;
    const double ratio = double{activation_max[i]} / double{weight_max[i]};
    const double steps = std::nearbyint(4 * PortableLog(ratio) / std::numbers::ln2);
    // The square root of the ratio, in steps of an eighth of an octave.
    factors[i] =
        static_cast<float>(PortableExp2(4 * static_cast<int>(std::clamp(steps, -80.0, 80.0))));
  }
  return factors;
}

}  // namespace edgegate
