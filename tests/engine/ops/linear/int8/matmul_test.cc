#include "engine/ops/linear/int8/matmul.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "engine/base/thread_pool.h"
#include "engine/ops/linear/int8/pack.h"
#include "tests/fakes/kernel_paths.h"
#include "tests/fakes/normal_values.h"

namespace edgegate {
namespace {

// Random packed weights, with the memory of the view Int8Linear.
struct OwnedLinear {
  OwnedLinear(int n, int k, uint32_t seed) : rows(size_t{1} * n * k) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (float& w : rows) w = normal(random);
    view.n = n;
    view.k = k;
    packed.Reset(PackedBytes(n, k));
    scale.Reset(view.n_padded());
    column_sum.Reset(view.n_padded());
    bias.Reset(view.n_padded());
    for (int i = 0; i < n; ++i) bias[i] = normal(random);
    for (int block = 0; block * 64 < n; ++block) {
      PackInt8Block(rows.data() + int64_t{block} * 64 * k, std::min(64, n - block * 64), k,
                    packed.data() + int64_t{block} * 64 * view.k_padded(), &scale[block * 64],
                    &column_sum[block * 64]);
    }
    view.packed = packed.data();
    view.scale = scale.data();
    view.column_sum = column_sum.data();
    view.bias = bias.data();
  }
  int8_t At(int row, int k) const {
    return packed[((int64_t{row} / 64 * (view.k_padded() / 4) + k / 4) * 64 + row % 64) * 4 +
                  k % 4];
  }
  std::vector<float> rows;
  AlignedBuffer<int8_t> packed;
  AlignedBuffer<float> scale, bias;
  AlignedBuffer<int32_t> column_sum;
  Int8Linear view;
};

std::vector<float> RandomRows(int rows, int columns, uint32_t seed) {
  return Normal(size_t{1} * rows * columns, seed, 0.3f, 2.0f);
}

// Computes the exact integers, and then the epilogue's formula in the order of row_ops.h.
float Expected(const QuantizedRows& x, const OwnedLinear& w, int row, int column) {
  int32_t acc = 0;
  for (int k = 0; k < w.view.k; ++k) {
    acc += x.view().u8[row * x.view().stride + k] * w.At(column, k);
  }
  acc -= x.zero_point()[row] * w.column_sum[column];
  float product = static_cast<float>(acc) * (x.scale()[row] * w.scale[column]);
  return product + w.bias[column];
}

TEST_CASE("INT8 packing keeps every weight within half a step and stores the column sums") {
  OwnedLinear w(70, 37, 1);
  for (int n = 0; n < 70; ++n) {
    int32_t sum = 0;
    for (int k = 0; k < 37; ++k) {
      float error = w.rows[n * 37 + k] - w.scale[n] * static_cast<float>(w.At(n, k));
      CHECK(std::fabs(error) <= 0.5001f * w.scale[n]);
      sum += w.At(n, k);
    }
    CHECK(w.column_sum[n] == sum);
  }
  for (int n = 70; n < 128; ++n) CHECK(w.scale[n] == 0);
}

TEST_CASE("INT8 activation rows are within half a step") {
  auto x = RandomRows(5, 100, 2);
  x[3] = 0;
  QuantizedRows q(5, 100, SelectInt8Kernel());
  q.Quantize(x.data(), 100, 5, 100);
  for (int r = 0; r < 5; ++r) {
    for (int c = 0; c < 100; ++c) {
      float back = q.scale()[r] * static_cast<float>(q.view().u8[r * 128 + c] - q.zero_point()[r]);
      CHECK(std::fabs(back - x[r * 100 + c]) <= 1.001f * q.scale()[r]);
    }
    for (int c = 100; c < 128; ++c) CHECK(q.view().u8[r * 128 + c] == 0);
  }
}

// Returns the number of results of Store() and Add() that differ from the formula.
int WrongResults(Int8MatMul* matmul, int m, int n, int k) {
  OwnedLinear w(n, k, 3);
  QuantizedRows x(m, k, matmul->kernel());
  auto rows = RandomRows(m, k, 4);
  x.Quantize(rows.data(), k, m, k);
  std::vector<float> out(size_t{1} * m * n), sum(out.size(), 1.0f);
  matmul->Store(x, w.view, out.data(), n);
  matmul->Add(x, w.view, sum.data(), n);
  int wrong = 0;
  for (int r = 0; r < m; ++r) {
    for (int j = 0; j < n; ++j) wrong += out[r * n + j] != Expected(x, w, r, j);
  }
  for (size_t i = 0; i < sum.size(); ++i) wrong += sum[i] != 1.0f + out[i];
  return wrong;
}

void CheckBackend(Int8MatMul::Backend backend) {
  for (const auto& shape :
       {std::tuple{1, 64, 64}, {7, 70, 37}, {33, 200, 130}, {55, 70, 64}, {70, 512, 576}}) {
    const int m = std::get<0>(shape), n = std::get<1>(shape), k = std::get<2>(shape);
    CAPTURE(m);
    CAPTURE(n);
    Int8MatMul matmul(backend);
    CAPTURE(matmul.Description());
    CHECK(WrongResults(&matmul, m, n, k) == 0);
  }
}

TEST_CASE("every kernel and every backend give the reference's bits") {
  // oneDNN keeps its first cap. So it is used first, without a cap.
  if (Int8MatMul().Description().starts_with("oneDNN")) {
    CheckBackend(Int8MatMul::Backend::kOneDnn);
    CheckBackend(Int8MatMul::Backend::kAuto);
  } else {
    NoteSkippedPath("int8 oneDNN");
  }
  ForEachKernel("int8", Int8Kernels(),
                [](const Int8Kernel&) { CheckBackend(Int8MatMul::Backend::kOwn); });
}

TEST_CASE("extreme values do not saturate") {
  // All activations are 255 and all weights +-127, at the largest k that a model may have. One row,
  // and so many that kernels with strips are asked.
  const int k = 1 << 16;
  std::vector<float> ones(k, 1.0f);
  for (int i = 0; i < k; i += 3) ones[i] = -1.0f;
  AlignedBuffer<int8_t> packed(PackedBytes(1, k));
  float scale[64];
  int32_t sums[64];
  PackInt8Block(ones.data(), 1, k, packed.data(), scale, sums);
  Int8Linear w{k, 1, packed.data(), scale, sums, nullptr};
  const std::vector<float> x(size_t{1} * k * kMinStripRows, 5.0f);
  ForEachKernel("int8", Int8Kernels(), [&](const Int8Kernel&) {
    Int8MatMul matmul(Int8MatMul::Backend::kOwn);
    for (const int rows : {1, kMinStripRows}) {
      QuantizedRows q(rows, k, matmul.kernel());
      q.Quantize(x.data(), k, rows, k);
      std::vector<float> out(rows);
      matmul.Store(q, w, out.data(), 1);
      for (float value : out) CHECK(value == doctest::Approx(5.0 * (k - 2.0 * ((k + 2) / 3))));
    }
  });
}

TEST_CASE("tiles of rows and columns cover each result once, for any number of threads") {
  std::mt19937 random(11);
  const auto between = [&](int low, int high) {
    return std::uniform_int_distribution(low, high)(random);
  };
  for (int round = 0; round < 60; ++round) {
    const int threads = between(1, 4), m = between(32, 900), n = between(1, 600), k = 64;
    CAPTURE(threads);
    CAPTURE(m);
    CAPTURE(n);
    const OwnedLinear w(n, k, 12);
    const auto rows = RandomRows(m, k, 13);
    const auto run = [&](Int8MatMul::Backend backend) {
      Int8MatMul matmul(backend);
      QuantizedRows x(m, k, matmul.kernel());
      x.Quantize(rows.data(), k, m, k);
      std::vector<float> out(size_t{1} * m * n, 1.0f);
      matmul.Add(x, w.view, out.data(), n);  // counts how often a result is written
      return out;
    };
    const auto expected = run(Int8MatMul::Backend::kOwn);
    ThreadPool pool(threads);
    const ThreadPool::Use use(&pool);
    CHECK(run(Int8MatMul::Backend::kAuto) == expected);
  }
}

TEST_CASE("the SwiGLU epilogue reads alternate blocks and does not depend on the backend") {
  const int half = 130, k = 96;
  OwnedLinear w(2 * 192, k, 7);
  ThreadPool pool(2);
  const ThreadPool::Use use(&pool);
  for (const int m : {40, 300}) {
    CAPTURE(m);
    std::vector<float> first(size_t{1} * m * 192), second(first.size());
    for (auto backend : {Int8MatMul::Backend::kOwn, Int8MatMul::Backend::kOneDnn}) {
      Int8MatMul matmul(backend);
      QuantizedRows x(m, k, matmul.kernel());
      auto rows = RandomRows(m, k, 8);
      x.Quantize(rows.data(), k, m, k);
      auto& out = backend == Int8MatMul::Backend::kOwn ? first : second;
      matmul.SwiGlu(x, w.view, out.data(), 192);
      for (int r = 0; r < m; ++r) {
        for (int i = 0; i < half; ++i) {
          float gate = Expected(x, w, r, i / 64 * 128 + i % 64);
          float up = Expected(x, w, r, i / 64 * 128 + 64 + i % 64);
          CHECK(out[r * 192 + i] ==
                doctest::Approx(gate / (1 + std::exp(-gate)) * up).epsilon(1e-5));
        }
      }
    }
    CHECK(first == second);
  }
}

}  // namespace
}  // namespace edgegate
