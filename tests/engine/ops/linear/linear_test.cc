#include "engine/ops/linear/linear.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "engine/ops/linear/int8/pack.h"
#include "tests/fakes/normal_values.h"

namespace edgegate {
namespace {

// Weights in two packed parts, with the memory of the view Linear.
struct OwnedResidual {
  OwnedResidual(int n, int k, uint32_t seed)
      : rows(Normal(size_t{1} * n * k, seed)), bias(Normal(Int8Padded(n), seed + 1)) {
    std::vector<float> values = rows;
    layer.main = Pack(n, k, 0, &values);
    layer.main.bias = bias.data();
    layer.residual = Pack(n, k, 1, &values);
    view.layer = layer;
    formats.Add(view);
  }
  // Packs `values` and replaces it by its residual.
  Int8Linear Pack(int n, int k, int part, std::vector<float>* values) {
    Int8Linear w;
    w.n = n;
    w.k = k;
    packed[part].Reset(PackedBytes(n, k));
    scale[part].Reset(w.n_padded());
    sums[part].Reset(w.n_padded());
    for (int block = 0; block < Int8Blocks(n); ++block) {
      const int count = std::min(64, n - block * 64);
      int8_t* to = packed[part].data() + int64_t{block} * 64 * w.k_padded();
      float* from = values->data() + int64_t{block} * 64 * k;
      PackInt8Block(from, count, k, to, &scale[part][block * 64], &sums[part][block * 64]);
      for (int row = 0; row < count; ++row) {
        for (int i = 0; i < k; ++i) {
          from[row * k + i] -= scale[part][block * 64 + row] * to[(i / 4 * 64 + row) * 4 + i % 4];
        }
      }
    }
    w.packed = packed[part].data();
    w.scale = scale[part].data();
    w.column_sum = sums[part].data();
    return w;
  }
  std::vector<float> rows, bias;
  AlignedBuffer<int8_t> packed[2];
  AlignedBuffer<float> scale[2];
  AlignedBuffer<int32_t> sums[2];
  Int8ResidualLinear layer;
  Linear view;
  LinearFormatSet formats;
};

double Exact(const OwnedResidual& w, const float* x, int column) {
  double sum = w.bias[column];
  for (int i = 0; i < w.layer.main.k; ++i) {
    sum += double{x[i]} * w.rows[int64_t{column} * w.layer.main.k + i];
  }
  return sum;
}

TEST_CASE(
    "layers with a residual are near the exact product, with the same bytes from every backend") {
  for (const auto& shape : {std::array{1, 5, 7}, {3, 72, 144}, {40, 130, 280}}) {
    const int rows = shape[0], n = shape[1], k = shape[2];
    CAPTURE(k);
    const OwnedResidual w(n, k, 3);
    const auto x = Normal(size_t{1} * rows * k, 9, 0.3f);
    std::vector<float> out[2];
    for (const auto backend : {Int8MatMul::Backend::kOwn, Int8MatMul::Backend::kAuto}) {
      LinearMatMul linear({rows, std::max(n, k)}, w.formats, backend);
      linear.Quantize(w.view, x.data(), k, rows);
      auto& result = out[backend == Int8MatMul::Backend::kAuto];
      result.assign(size_t{1} * rows * n, 1.0f);
      linear.Add(w.view, result.data(), n);
    }
    CHECK(out[0] == out[1]);
    for (int row = 0; row < rows; ++row) {
      for (int column = 0; column < n; ++column) {
        const double want = 1 + Exact(w, x.data() + int64_t{row} * k, column);
        CHECK(std::fabs(out[0][row * n + column] - want) < 4e-4 * std::sqrt(k));
      }
    }
  }
}

TEST_CASE("SwiGLU and GELU epilogues of layers with a residual are near float") {
  constexpr int kRows = 3, kInner = 64, k = 72;
  const OwnedResidual w(2 * kInner, k, 5);
  const auto x = Normal(size_t{kRows} * k, 6);
  LinearMatMul linear({kRows, 2 * kInner}, w.formats, Int8MatMul::Backend::kAuto);
  linear.Quantize(w.view, x.data(), k, kRows);
  std::vector<float> gated(kRows * kInner), bent(kRows * 2 * kInner);
  linear.SwiGlu(w.view, gated.data(), kInner);
  linear.Gelu(w.view, bent.data(), 2 * kInner);
  for (int row = 0; row < kRows; ++row) {
    for (int c = 0; c < kInner; ++c) {
      const double gate = Exact(w, &x[row * k], c), up = Exact(w, &x[row * k], c + kInner);
      CHECK(std::fabs(gated[row * kInner + c] - gate / (1 + std::exp(-gate)) * up) < 0.03);
      const double gelu =
          gate / 2 * (1 + std::tanh(0.7978845608 * (gate + 0.044715 * gate * gate * gate)));
      CHECK(std::fabs(bent[row * 2 * kInner + c] - gelu) < 0.003);
    }
  }
}

}  // namespace
}  // namespace edgegate
