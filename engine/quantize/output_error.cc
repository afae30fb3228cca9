#include "engine/quantize/output_error.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/base/thread_pool.h"
#include "engine/quantize/cholesky.h"
#include "engine/quantize/float_gemm.h"

namespace edgegate {
namespace {

constexpr int kNearColumns = 32;       // columns that are averaged together
constexpr float kAveragePart = 1e-3f;  // part of the average that is added to each column

// Returns the mean square of each column, plus a small part of the average of nearby columns.
std::vector<float> MeanSquares(const std::vector<float>& x, int k) {
  std::vector<double> sums(static_cast<size_t>(k));
  for (size_t row = 0; row < x.size(); row += static_cast<size_t>(k)) {
    for (int i = 0; i < k; ++i) sums[i] += double{x[row + i]} * x[row + i];
  }
  const double tokens = static_cast<double>(x.size()) / k;
  std::vector<float> squares(sums.size());
  for (int first = 0; first < k; first += kNearColumns) {
    const int end = std::min(first + kNearColumns, k);
    const double mean = std::accumulate(&sums[first], &sums[0] + end, 0.0) / (end - first) / tokens;
    const double least = mean > 1e-30 ? mean * kAveragePart : 1.0;
    for (int i = first; i < end; ++i) squares[i] = static_cast<float>(sums[i] / tokens + least);
  }
  return squares;
}

}  // namespace

OutputError EstimateOutputError(const std::vector<float>& x, int k, float shrink) {
  OutputError error{k, {}, MeanSquares(x, k)};
  const bool finite = std::all_of(error.cost.begin(), error.cost.end(),
                                  [](float cost) { return std::isfinite(cost); });
  if (!finite) error.cost.assign(error.cost.size(), 1.0f);
  if (!finite || shrink >= 1.0f) return error;
  const int64_t tokens = static_cast<int64_t>(x.size()) / k;
  std::vector<float> h(size_t{1} * k * k);
  constexpr int kStripe = 256;
  for (int first = 0; first < k; first += kStripe) {  // only down to the diagonal
    const int end = std::min(first + kStripe, k);
    Gemm(end, end - first, tokens, (1.0f - shrink) / static_cast<float>(tokens),
         {x.data(), k, true}, {x.data() + first, k}, 0.0f, h.data() + first, k);
  }
  std::vector<float> least(static_cast<size_t>(k));
  for (int j = 0; j < k; ++j) {
    h[size_t{1} * j * k + j] = error.cost[j];
    least[j] = std::max(shrink * error.cost[j], 1e-30f);
  }
  FactorUpper(k, least, h.data());
  std::vector<float> inverse(static_cast<size_t>(k));
  for (int j = 0; j < k; ++j) {
    const float pivot = h[size_t{1} * j * k + j];
    error.cost[j] = pivot * pivot;
    inverse[j] = 1.0f / pivot;
  }
  ParallelFor(k, [&](int i) {
    for (int j = i; j < k; ++j) h[size_t{1} * i * k + j] *= inverse[j];
  });
  error.carry = std::move(h);
  return error;
}

}  // namespace edgegate
