// Compares products of float matrices with sums in double, on every instruction set that this
// processor has, and their bits with those of the other instruction sets.

#include "engine/quantize/float_gemm.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/fakes/kernel_paths.h"
#include "tests/fakes/normal_values.h"

namespace edgegate {
namespace {

struct Shape {
  int m, n, k;
};
// One element, parts of a tile, several tiles, and several steps of depth.
constexpr Shape kShapes[] = {{1, 1, 1},    {3, 17, 5},    {8, 16, 300},  {37, 33, 257},
                             {300, 20, 9}, {20, 300, 64}, {257, 259, 70}};

struct Case {
  Shape shape;
  bool a_transposed, b_transposed;
  float alpha, beta;
};

std::vector<float> Multiply(const Case& x, const std::vector<float>& a, const std::vector<float>& b,
                            std::vector<float> c) {
  const auto [m, n, k] = x.shape;
  GemmOnThisThread(m, n, k, x.alpha, {a.data(), x.a_transposed ? m : k, x.a_transposed},
                   {b.data(), x.b_transposed ? k : n, x.b_transposed}, x.beta, c.data(), n + 2);
  return c;
}

void CheckCase(const Case& x) {
  const int m = x.shape.m, n = x.shape.n, k = x.shape.k;
  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(k);
  const auto a = Normal(size_t{1} * m * k, 1), b = Normal(size_t{1} * k * n, 2);
  auto c = Normal(size_t{1} * m * (n + 2), 3);
  if (x.beta == 0) c.assign(c.size(), NAN);  // c is not read
  std::vector<float> first;
  ForEachIsa("float gemm", [&] {
    const auto got = Multiply(x, a, b, c);
    if (first.empty()) first = got;
    float worst = 0;
    bool same = true;
    for (int i = 0; i < m; ++i) {
      for (int j = 0; j < n; ++j) {
        double sum = 0;
        for (int l = 0; l < k; ++l) {
          sum += double{a[x.a_transposed ? l * m + i : i * k + l]} *
                 b[x.b_transposed ? j * k + l : l * n + j];
        }
        const int at = i * (n + 2) + j;
        const double want = x.alpha * sum + (x.beta == 0 ? 0.0 : double{x.beta} * c[at]);
        worst = std::max(worst, static_cast<float>(std::fabs(got[at] - want)));
        same = same && got[at] == first[at];
      }
    }
    CHECK(worst < 1e-4f);
    CHECK(same);
  });
}

TEST_CASE("products equal sums in double, with the same bits on each instruction set") {
  for (const Shape& shape : kShapes) {
    for (const bool a : {false, true}) {
      for (const bool b : {false, true}) {
        CheckCase({shape, a, b, 1.0f, 0.0f});
        CheckCase({shape, a, b, -0.5f, 1.0f});
      }
    }
    CheckCase({shape, false, true, 0.3f, 0.7f});
  }
}

TEST_CASE("a product on all threads equals that on one") {
  const auto a = Normal(size_t{600} * 40, 1), b = Normal(size_t{40} * 530, 2);
  std::vector<float> one(size_t{600} * 530), all(one.size());
  GemmOnThisThread(600, 530, 40, 1.0f, {a.data(), 40}, {b.data(), 530}, 0.0f, one.data(), 530);
  Gemm(600, 530, 40, 1.0f, {a.data(), 40}, {b.data(), 530}, 0.0f, all.data(), 530);
  CHECK(one == all);
}

}  // namespace
}  // namespace edgegate
