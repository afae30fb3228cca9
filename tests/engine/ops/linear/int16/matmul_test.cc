#include "engine/ops/linear/int16/matmul.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/ops/linear/linear.h"
#include "tests/fakes/kernel_paths.h"
#include "tests/fakes/normal_values.h"

namespace edgegate {
namespace {

// Random weights, with the memory of the view Int16Linear.
struct OwnedInt16 {
  OwnedInt16(int n, int k, uint32_t seed)
      : OwnedInt16(n, k, Normal(size_t{1} * n * k, seed), Normal(Int8Padded(n), seed + 1)) {}

  OwnedInt16(int n, int k, std::vector<float> from, std::vector<float> from_bias)
      : rows(std::move(from)), bias(std::move(from_bias)) {
    view.n = n;
    view.k = k;
    levels.Reset(static_cast<size_t>(view.levels()));
    scale.Reset(static_cast<size_t>(view.n_padded()));
    const int padded = view.groups() * kInt16Group;
    std::vector<int16_t> row(static_cast<size_t>(padded));
    for (int c = 0; c < n; ++c) {
      RoundToInt16(&rows[int64_t{c} * k], k, padded, kInt16WeightLevel, row.data(), &scale[c]);
      for (int i = 0; i < padded; ++i) {
        levels[c / 64 * view.block_levels() + (int64_t{i / 2} * 64 + c % 64) * 2 + i % 2] = row[i];
      }
    }
    view.packed = levels.data();
    view.scale = scale.data();
    view.bias = bias.empty() ? nullptr : bias.data();
    linear.layer = view;
    formats.Add(linear);
  }

  Int16Block Block(int block) const {
    return {view.packed + block * view.block_levels(), view.scale + block * 64, view.groups()};
  }

  std::vector<float> rows, bias;
  AlignedBuffer<int16_t> levels;
  AlignedBuffer<float> scale;
  Int16Linear view;
  Linear linear;
  LinearFormatSet formats;
};

double Exact(const OwnedInt16& w, const float* x, int column) {
  double sum = w.bias[column];
  for (int i = 0; i < w.view.k; ++i) sum += double{x[i]} * w.rows[int64_t{column} * w.view.k + i];
  return sum;
}

TEST_CASE("rounding to INT16 is to nearest, and zeros fill the padding") {
  ForEachIsa("int16 rounding", [] {
    for (const int count : {1, 3, 16, 37, 64}) {
      auto x = Normal(count, 2);
      x[0] = -5;  // the largest magnitude
      std::vector<int16_t> levels(64, 99);
      float scale = 0;
      RoundToInt16(x.data(), count, 64, 8191, levels.data(), &scale);
      CHECK(scale == 5.0f / 8191);
      CHECK(levels[0] == -8191);
      for (int i = 0; i < count; ++i) CHECK(std::fabs(levels[i] * scale - x[i]) < 0.5001f * scale);
      CHECK(std::all_of(levels.begin() + count, levels.end(), [](int l) { return l == 0; }));
    }
  });
}

TEST_CASE("rows of zeros, of tiny values and of values that are not finite") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  ForEachIsa("int16 rounding", [] {
    for (const int at : {0, 5, 36}) {
      for (const float value : {0.0f, 1e-36f, kInfinity, -kInfinity, 1e36f, std::nanf("")}) {
        std::vector<float> x(37, 0.0f);
        x[at] = value;
        std::vector<int16_t> levels(64, 99);
        float scale = 1;
        RoundToInt16(x.data(), 37, 64, 8191, levels.data(), &scale);
        CHECK(std::all_of(levels.begin(), levels.end(), [](int l) { return l == 0; }));
        CHECK(std::isnan(scale) == !(std::fabs(value) < 1));
        if (!std::isnan(scale)) CHECK(scale == 0);
      }
    }
  });
}

TEST_CASE("every INT16 kernel gives the reference's bits, for any number of rows") {
  ForEachKernel("int16", Int16Kernels(), [](const Int16Kernel& kernel) {
    for (const auto& shape : {std::array{1, 64, 32}, {7, 70, 137}, {26, 200, 320}}) {
      const int m = shape[0], n = shape[1], k = shape[2];
      CAPTURE(k);
      const OwnedInt16 w(n, k, 3);
      Int16Rows x(m, k);
      x.Quantize(Normal(size_t{1} * m * k, 4, 0.3f).data(), k, m, k, {});
      std::vector<float> out(size_t{1} * m * n), sum(out.size(), 1.0f);
      const Int16MatMul matmul;
      CHECK(std::string(matmul.name()) == kernel.target.name);
      matmul.Store(x, w.view, out.data(), n);
      matmul.Add(x, w.view, sum.data(), n);
      int wrong = 0;
      for (int block = 0; block < Int8Blocks(n); ++block) {
        for (int first = 0; first < m; ++first) {
          for (int count = 1; count <= std::min(Int16Kernel::kMaxRows, m - first); ++count) {
            alignas(64) float want[24 * 64], got[24 * 64];
            Int16TileReference(x.view(), first, count, w.Block(block), want);
            kernel.tile(x.view(), first, count, w.Block(block), got);
            for (int i = 0; i < count * 64; ++i) wrong += got[i] != want[i];
            for (int c = 0; c < std::min(64, n - block * 64); ++c) {
              const int column = block * 64 + c;
              const float value = want[c] + w.bias[column];
              wrong += out[first * n + column] != value;
              wrong += sum[first * n + column] != 1.0f + value;
            }
          }
        }
      }
      CHECK(wrong == 0);
    }
  });
}

TEST_CASE("the largest levels do not overflow") {
  constexpr int k = 256;
  const OwnedInt16 w(1, k, std::vector<float>(k, 4095.0f), {});
  ForEachKernel("int16", Int16Kernels(), [&](const Int16Kernel&) {
    for (const float value : {8191.0f, -8191.0f}) {
      const std::vector<float> x(k, value);
      Int16Rows rows(1, k);
      rows.Quantize(x.data(), k, 1, k, {});
      float out = 0;
      Int16MatMul().Store(rows, w.view, &out, 1);
      CHECK(out == doctest::Approx(value * 4095.0f * k).epsilon(1e-6));
    }
  });
}

TEST_CASE("INT16 layers are near the exact product") {
  for (const auto& shape : {std::array{1, 5, 7}, {3, 72, 144}, {40, 130, 280}}) {
    const int rows = shape[0], n = shape[1], k = shape[2];
    CAPTURE(k);
    const OwnedInt16 w(n, k, 3);
    const auto x = Normal(size_t{1} * rows * k, 9, 0.3f);
    LinearMatMul linear({rows, std::max(n, k)}, w.formats, Int8MatMul::Backend::kAuto);
    CHECK(linear.Description().find("INT16") != std::string::npos);
    linear.Quantize(w.linear, x.data(), k, rows);
    std::vector<float> out(size_t{1} * rows * n);
    linear.Store(w.linear, out.data(), n);
    for (int row = 0; row < rows; ++row) {
      for (int column = 0; column < n; ++column) {
        const double want = Exact(w, x.data() + int64_t{row} * k, column);
        CHECK(std::fabs(out[row * n + column] - want) < 12e-4 * std::sqrt(k));
      }
    }
  }
}

TEST_CASE("SwiGLU and GELU epilogues of INT16 layers are near float") {
  constexpr int kRows = 3, kInner = 64, k = 72;
  const OwnedInt16 w(2 * kInner, k, 5);
  const auto x = Normal(size_t{kRows} * k, 6);
  LinearMatMul linear({kRows, 2 * kInner}, w.formats, Int8MatMul::Backend::kAuto);
  linear.Quantize(w.linear, x.data(), k, kRows);
  std::vector<float> gated(kRows * kInner), bent(kRows * 2 * kInner);
  linear.SwiGlu(w.linear, gated.data(), kInner);
  linear.Gelu(w.linear, bent.data(), 2 * kInner);
  for (int row = 0; row < kRows; ++row) {
    for (int c = 0; c < kInner; ++c) {
      const double gate = Exact(w, &x[row * k], c), up = Exact(w, &x[row * k], c + kInner);
      CHECK(std::fabs(gated[row * kInner + c] - gate / (1 + std::exp(-gate)) * up) < 0.1);
      const double gelu =
          gate / 2 * (1 + std::tanh(0.7978845608 * (gate + 0.044715 * gate * gate * gate)));
      CHECK(std::fabs(bent[row * 2 * kInner + c] - gelu) < 0.01);
    }
  }
}

}  // namespace
}  // namespace edgegate
