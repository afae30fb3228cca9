// Tests the rounding of whole rows: the factor, the error that it represents, and levels that
// compensate earlier errors.

#include "engine/quantize/gptq.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/base/half.h"
#include "engine/base/thread_pool.h"
#include "engine/quantize/cholesky.h"
#include "engine/quantize/output_error.h"
#include "tests/fakes/normal_values.h"
#include "tests/fakes/worst.h"

namespace edgegate {
namespace {

// Returns inputs in which each column resembles the previous one. The columns have very different
// sizes.
std::vector<float> Correlated(int tokens, int k, uint32_t seed) {
  std::vector<float> x = Normal(tokens * k, seed);
  for (int t = 0; t < tokens; ++t) {
    float* row = &x[size_t{1} * t * k];
    for (int j = 1; j < k; ++j) row[j] = 0.9f * row[j - 1] + 0.4f * row[j];
    for (int j = 0; j < k; ++j) row[j] *= std::exp2(static_cast<float>(j * 7 % 11) - 5.0f);
  }
  return x;
}

std::vector<float> Floats(const std::vector<Int4Group>& groups, int k) {
  const int count = Int4Groups(k), n = static_cast<int>(groups.size()) / count;
  std::vector<float> rows;
  for (int row = 0; row < n; ++row) {
    for (int j = 0; j < k; ++j) {
      const Int4Group& group = groups[size_t{1} * row * count + j / kInt4Group];
      rows.push_back(F16ToFloat(group.scale) * static_cast<float>(group.level(j % kInt4Group)) +
                     F16ToFloat(group.minimum));
    }
  }
  return rows;
}

// Returns the mean square of the change of the outputs.
double OutputDifference(const std::vector<float>& x, const std::vector<float>& rows,
                        const std::vector<float>& rounded, int k) {
  const auto n = std::ssize(rows) / k, tokens = std::ssize(x) / k;
  double total = 0;
  for (int64_t t = 0; t < tokens; ++t) {
    for (int64_t row = 0; row < n; ++row) {
      double sum = 0;
      for (int j = 0; j < k; ++j) {
        sum += double{x[t * k + j]} * (rows[row * k + j] - rounded[row * k + j]);
      }
      total += sum * sum;
    }
  }
  return total / static_cast<double>(tokens * n);
}

TEST_CASE("the factor reproduces the matrix, over several blocks") {
  for (const int k : {1, 5, 128, 300}) {
    CAPTURE(k);
    const auto x = Normal((k + 10) * k, 1);
    std::vector<float> a(size_t{1} * k * k);
    for (int i = 0; i < k; ++i) {
      for (int j = 0; j < k; ++j) {
        for (int t = 0; t < k + 10; ++t) a[i * k + j] += x[t * k + i] * x[t * k + j];
      }
    }
    auto r = a;
    FactorUpper(k, std::vector<float>(static_cast<size_t>(k), 1e-9f), r.data());
    double worst = 0;
    for (int i = 0; i < k; ++i) {
      for (int j = i; j < k; ++j) {
        double sum = 0;
        for (int l = j; l < k; ++l) sum += double{r[i * k + l]} * r[j * k + l];
        worst = Worst(worst, std::fabs(sum - a[i * k + j]));
      }
    }
    // The bound is the rounding error of k products of sums as large as the diagonal's.
    CHECK(worst < 1e-6 * 2 * k * k);
  }
}

TEST_CASE("the costs of all columns add up to the mean squared output error") {
  const int k = 203, tokens = 500;
  const auto x = Correlated(tokens, k, 2), e = Normal(k, 3);
  const std::vector<float> zeros(static_cast<size_t>(k));
  for (const float shrink : {0.01f, 0.3f, 1.0f}) {
    const OutputError error = EstimateOutputError(x, k, shrink);
    double sum = 0, alone = 0;
    for (int j = 0; j < k; ++j) {
      double carried = e[j], squares = 0;
      for (int i = 0; i < j && shrink < 1; ++i) carried += double{e[i]} * error.carry[i * k + j];
      sum += error.cost[j] * carried * carried;
      for (int t = 0; t < tokens; ++t) squares += double{x[t * k + j]} * x[t * k + j];
      alone += squares / tokens * e[j] * e[j];
    }
    const double together = OutputDifference(x, e, zeros, k);
    const double want = shrink * alone + (1 - shrink) * together;
    CHECK(sum == doctest::Approx(want).epsilon(3e-3));  // a thousandth is added for zero columns
  }
}

TEST_CASE("GPTQ rounds each column to the nearest level after correcting earlier errors") {
  for (const int group : {32, 64}) {
    for (const int k : {7, 64, 203}) {
      CAPTURE(group);
      CAPTURE(k);
      const int n = 37;
      const auto x = Correlated(300, k, 4), rows = Normal(n * k, 5);
      const OutputError error = EstimateOutputError(x, k, 0.1f);
      const auto groups = RoundRows(rows, k, error, group);
      const auto rounded = Floats(groups, k);
      REQUIRE(groups.size() == size_t{1} * n * Int4Groups(k));
      for (int row = 0; row < n; ++row) {
        const Int4Group* of_row = &groups[size_t{1} * row * Int4Groups(k)];
        for (int j = 0; j < k; ++j) {
          const Int4Group& own = of_row[j / kInt4Group];
          const Int4Group& leader = of_row[j / group * group / kInt4Group];
          CHECK(own.scale == leader.scale);
          CHECK(own.minimum == leader.minimum);
          double wanted = rows[row * k + j];
          for (int i = 0; i < j; ++i) {
            wanted += (double{rows[row * k + i]} - rounded[row * k + i]) * error.carry[i * k + j];
          }
          const double level = (wanted - F16ToFloat(own.minimum)) / double{F16ToFloat(own.scale)};
          CHECK(std::fabs(std::clamp(level, 0.0, 15.0) - own.level(j % kInt4Group)) < 0.501);
        }
        for (int j = k; j < Int4Groups(k) * kInt4Group; ++j) {
          CHECK(of_row[j / kInt4Group].level(j % kInt4Group) == 0);
        }
      }
    }
  }
}

TEST_CASE("GPTQ has a smaller output error on correlated inputs than group-wise rounding") {
  const int k = 256, n = 64;
  const auto rows = Normal(n * k, 6), x = Correlated(1000, k, 7), unseen = Correlated(500, k, 8);
  for (const int group : {32, 64}) {
    const auto together = Floats(RoundRows(rows, k, EstimateOutputError(x, k, 0.05f), group), k);
    const auto alone = Floats(RoundRows(rows, k, EstimateOutputError(x, k, 1.0f), group), k);
    CHECK(OutputDifference(unseen, rows, together, k) <
          0.5 * OutputDifference(unseen, rows, alone, k));
  }
}

TEST_CASE("GPTQ with zero, huge, equal or dependent inputs gives finite levels near the weights") {
  const int k = 160, n = 40, tokens = 20;
  const auto rows = Normal(n * k, 9);
  std::vector<float> zero(size_t{1} * tokens * k), huge(zero.size(), 1e30f);
  std::vector<float> alike(zero.size(), 1.0f), dead = Normal(tokens * k, 10);
  for (int t = 0; t < tokens; ++t) {
    for (int j = 0; j < k; ++j) {
      if (j % 3 == 0) dead[t * k + j] = 0;
      if (j % 3 == 1) dead[t * k + j] = dead[t * k + j % 2];
    }
  }
  for (const auto* x : {&zero, &huge, &alike, &dead}) {
    for (const float shrink : {0.0f, 0.05f}) {
      const auto rounded = Floats(RoundRows(rows, k, EstimateOutputError(*x, k, shrink), 32), k);
      double error = 0;
      for (int i = 0; i < n * k; ++i) error += std::pow(double{rows[i]} - rounded[i], 2);
      CHECK(error / (n * k) < (shrink > 0 ? 0.1 : 1e9));  // 1e9: only has to be finite
    }
  }
}

TEST_CASE("the scale search has a smaller weighted error than rounding over the range") {
  const int n = 200;
  const auto rows = Normal(32 * n, 13);
  OutputError error{32, {}, Normal(32, 14)};
  for (float& cost : error.cost) cost = cost * cost * cost * cost + 1e-3f;
  const auto searched = Floats(RoundRows(rows, 32, error, 32), 32);
  double ours = 0, plain = 0;
  for (int row = 0; row < n; ++row) {
    const float* w = &rows[size_t{32} * row];
    const auto [low, high] = std::minmax_element(w, w + 32);
    const double step = (double{*high} - *low) / 15;
    for (int j = 0; j < 32; ++j) {
      ours += error.cost[j] * std::pow(double{w[j]} - searched[32 * row + j], 2);
      plain += error.cost[j] * std::pow(std::remainder(double{w[j]} - *low, step), 2);
    }
  }
  CHECK(ours < 0.6 * plain);
}

TEST_CASE("constant and zero groups are exact, and values beyond f16's range are clamped") {
  const OutputError error = EstimateOutputError(std::vector<float>(64, 1.0f), 64, 1.0f);
  const std::vector<float> ones(64, 1.0f), zeros(64), huge(64, 1e30f);
  CHECK(Floats(RoundRows(ones, 64, error, 32), 64) == ones);
  CHECK(RoundRows(zeros, 64, error, 64) == std::vector<Int4Group>(2));
  CHECK(Floats(RoundRows(huge, 64, error, 32), 64) == std::vector<float>(64, 65504.0f));
}

TEST_CASE("GPTQ gives the same bits for any number of threads") {
  const int k = 600;
  const auto rows = Normal(300 * k, 11), x = Correlated(300, k, 12);
  std::set<std::vector<float>> carries, results;
  for (const int count : {1, 2, 3}) {
    ThreadPool pool(count);
    const ThreadPool::Use use(&pool);
    const OutputError error = EstimateOutputError(x, k, 0.1f);
    results.insert(Floats(RoundRows(rows, k, error, 32), k));
    std::vector<float> carry;
    for (int i = 0; i < k; ++i)
      carry.insert(carry.end(), &error.carry[i * k + i], &error.carry[i * k] + k);
    carries.insert(carry);
  }
  CHECK(carries.size() == 1);
  CHECK(results.size() == 1);
}

}  // namespace
}  // namespace edgegate
