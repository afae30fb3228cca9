// Compares norms and activations of rows with formulas in double precision, on every instruction
// set that this processor has.

#include "engine/ops/rows/row_ops.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <vector>

#include "tests/fakes/kernel_paths.h"
#include "tests/fakes/normal_values.h"

namespace edgegate {
namespace {

// Rows with one element, with parts of a vector, and with many vectors.
constexpr int kColumns[] = {1, 3, 8, 15, 16, 17, 31, 64, 100, 576, 1027};

std::vector<float> Random(int count, float spread, uint32_t seed) {
  return Normal(static_cast<size_t>(count), seed, 0.3f, spread);
}

// Checks that each value is finite, and that its error is at most `slack` times the larger of 1 and
// the expected value.
void CheckNear(const std::vector<float>& got, const std::vector<double>& want, double slack) {
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CAPTURE(want[i]);
    REQUIRE(std::isfinite(got[i]));
    CHECK(std::abs(got[i] - want[i]) <= slack * std::max(1.0, std::abs(want[i])));
  }
}

void ForEachIsaAndWidth(const std::function<void(int columns)>& check) {
  ForEachIsa("rows", [&] {
    for (const int columns : kColumns) {
      CAPTURE(columns);
      check(columns);
    }
  });
}

TEST_CASE("RMSNorm") {
  ForEachIsaAndWidth([](int columns) {
    const auto x = Random(columns, 3, 1), weight = Random(columns, 1, 2);
    double squares = 0;
    for (const float value : x) squares += double{value} * double{value};
    std::vector<double> want;
    for (size_t i = 0; i < x.size(); ++i) {
      want.push_back(x[i] / std::sqrt(squares / columns + 1e-5) * weight[i]);
    }
    std::vector<float> got(x.size());
    RmsNormRow(x.data(), weight.data(), columns, 1e-5f, got.data());
    CheckNear(got, want, 2e-6);
  });
}

TEST_CASE("RMSNorm of a row of zeros is zero") {
  const std::vector<float> x(64), weight(64, 2.0f);
  std::vector<float> got(64, 1.0f);
  RmsNormRow(x.data(), weight.data(), 64, 1e-6f, got.data());
  CHECK(got == x);
}

TEST_CASE("LayerNorm, also in place") {
  ForEachIsaAndWidth([](int columns) {
    const auto x = Random(columns, 3, 3), weight = Random(columns, 1, 4);
    const auto bias = Random(columns, 1, 5);
    double sum = 0, squares = 0;
    for (const float value : x) sum += value;
    const double mean = sum / columns;
    for (const float value : x) squares += (value - mean) * (value - mean);
    std::vector<double> want;
    for (size_t i = 0; i < x.size(); ++i) {
      want.push_back((x[i] - mean) / std::sqrt(squares / columns + 1e-5) * weight[i] + bias[i]);
    }
    std::vector<float> got(x.size()), place = x;
    LayerNormRow(x.data(), weight.data(), bias.data(), columns, 1e-5f, got.data());
    // A row of one element has no variance. Its difference from the mean is a rounding error,
    // divided by the root of epsilon.
    CheckNear(got, want, columns == 1 ? 1e-3 : 2e-5);
    LayerNormRow(place.data(), weight.data(), bias.data(), columns, 1e-5f, place.data());
    CHECK(place == got);
  });
}

TEST_CASE("activations and the residual sum") {
  ForEachIsaAndWidth([](int columns) {
    const auto gate = Random(columns, 4, 6), up = Random(columns, 2, 7);
    std::vector<double> swiglu, gelu, erf, sum;
    for (size_t i = 0; i < gate.size(); ++i) {
      const double x = gate[i];
      swiglu.push_back(x / (1 + std::exp(-x)) * up[i]);
      const double inner = std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
      gelu.push_back(x / 2 * (1 + std::tanh(inner)));
      erf.push_back(x / 2 * (1 + std::erf(x / std::sqrt(2.0))));
      sum.push_back(double{gate[i]} + up[i]);
    }
    std::vector<float> out(gate.size());
    SwiGluRow(gate.data(), up.data(), columns, out.data());
    CheckNear(out, swiglu, 1e-5);
    out = gate;
    GeluRow(out.data(), columns);
    CheckNear(out, gelu, 1e-5);
    out = gate;
    GeluErfRow(out.data(), columns);
    CheckNear(out, erf, 1e-5);
    out = gate;
    AddRow(up.data(), columns, out.data());
    CheckNear(out, sum, 1e-6);
  });
}

TEST_CASE("quantized rows are within half a step of the row, and the padding is zero") {
  ForEachIsaAndWidth([](int columns) {
    const auto x = Random(columns, 5, 8);
    const int padded = (columns + 63) / 64 * 64;
    std::vector<uint8_t> q(static_cast<size_t>(padded), uint8_t{77});
    float scale = 0;
    int32_t zero_point = -1;
    QuantizeRow(x.data(), columns, padded, q.data(), &scale, &zero_point);
    REQUIRE(scale > 0);
    CHECK(zero_point >= 0);
    CHECK(zero_point <= 255);
    for (size_t i = 0; i < x.size(); ++i) {
      CAPTURE(i);
      const double back = double{scale} * (q[i] - zero_point);
      CHECK(std::abs(back - x[i]) <= 0.5001 * scale + 1e-6);
    }
    for (size_t i = x.size(); i < q.size(); ++i) CHECK(q[i] == 0);
  });
}

// All results of the operations on rows of `columns` random numbers.
std::vector<float> AllResults(int columns) {
  std::vector<float> all;
  const auto keep = [&](const auto& values) {
    all.insert(all.end(), values.begin(), values.end());
  };
  // 30 makes the arguments of the exponentials reach their limits.
  for (const float spread : {1e-3f, 3.0f, 30.0f}) {
    const auto x = Random(columns, spread, 11), other = Random(columns, 2, 12);
    const auto bias = Random(columns, 1, 13);
    std::vector<float> out(x.size());
    RmsNormRow(x.data(), other.data(), columns, 1e-5f, out.data());
    keep(out);
    LayerNormRow(x.data(), other.data(), bias.data(), columns, 1e-5f, out.data());
    keep(out);
    SwiGluRow(x.data(), other.data(), columns, out.data());
    keep(out);
    out = x;
    GeluRow(out.data(), columns);
    keep(out);
    out = x;
    GeluErfRow(out.data(), columns);
    keep(out);
    const int padded = (columns + 63) / 64 * 64;
    std::vector<uint8_t> levels(static_cast<size_t>(padded));
    float scale = 0;
    int32_t zero = 0;
    QuantizeRow(x.data(), columns, padded, levels.data(), &scale, &zero);
    keep(levels);
    keep(std::vector<float>{scale, static_cast<float>(zero)});
    std::vector<int32_t> acc(static_cast<size_t>(padded) * 2), sums(acc.size());
    for (size_t i = 0; i < acc.size(); ++i) {
      acc[i] = static_cast<int32_t>(i * 7919 % 200003) - 100000;
      sums[i] = static_cast<int32_t>(i * 31 % 4001) - 2000;
    }
    std::vector<float> scales = Random(padded * 2, 1e-3f, 14), biases = Random(padded * 2, 1, 15);
    const ColumnTerms terms{scales.data(), sums.data(), biases.data()};
    EpilogueStore(acc.data(), columns, 0.02f * spread, 117, terms, out.data());
    keep(out);
    EpilogueAdd(acc.data(), columns, 0.02f * spread, 117, terms, out.data());
    keep(out);
    EpilogueGelu(acc.data(), columns, 0.02f * spread, 117, terms, out.data());
    keep(out);
  }
  return all;
}

TEST_CASE("each instruction set gives the same bits") {
  for (const int columns : {1, 3, 8, 15, 16, 17, 31, 33, 47, 64, 100, 576, 1027}) {
    CAPTURE(columns);
    (void)SetIsaCap("scalar");
    const auto want = AllResults(columns);
    ForEachIsa("rows", [&] {
      const auto got = AllResults(columns);
      REQUIRE(got.size() == want.size());
      CHECK(std::memcmp(got.data(), want.data(), got.size() * sizeof(float)) == 0);
    });
  }
}

}  // namespace
}  // namespace edgegate
