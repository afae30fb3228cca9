#include "engine/ops/linear/int4/matmul.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "engine/base/half.h"
#include "engine/ops/linear/int4/pack.h"
#include "engine/ops/linear/linear.h"
#include "tests/fakes/kernel_paths.h"
#include "tests/fakes/normal_values.h"

namespace edgegate {
namespace {

// Random packed groups, with the memory of the view Int4Linear.
struct OwnedInt4 {
  OwnedInt4(int n, int k, int group, uint32_t seed) : groups(size_t{1} * n * Int4Groups(k)) {
    std::mt19937 random(seed);
    for (size_t i = 0; i < groups.size(); ++i) {
      // The second half of a group of 64 shares scale and minimum with the first half.
      const bool second = group == 64 && i % Int4Groups(k) % 2 == 1;
      const auto scale = FloatToF16(static_cast<float>(random() % 2000) * 1e-4f);
      const auto minimum = FloatToF16(static_cast<float>(random() % 2000) * -1e-3f);
      groups[i].scale = second ? groups[i - 1].scale : scale;
      groups[i].minimum = second ? groups[i - 1].minimum : minimum;
      for (uint8_t& q : groups[i].q) q = static_cast<uint8_t>(random());
    }
    view.n = n;
    view.k = k;
    view.group = group;
    bias = Normal(view.n_padded(), seed + 1);
    packed.Reset(Int4PackedBytes(n, k, group));
    for (int block = 0; block < Int8Blocks(n); ++block) {
      PackInt4Block(&groups[size_t{64} * block * Int4Groups(k)], std::min(64, n - block * 64), k,
                    group, packed.data() + block * Int4PackedBytes(64, k, group));
    }
    view.packed = packed.data();
    view.bias = bias.data();
  }
  std::vector<Int4Group> groups;
  std::vector<float> bias;
  AlignedBuffer<uint8_t> packed;
  Int4Linear view;
};

// Computes the formula of kernel.h.
float Expected(const GroupedRows& x, const OwnedInt4& w, int row, int column) {
  float sum = 0;
  for (int g = 0; g < w.view.groups(); ++g) {
    const int parts = Int4Groups(w.view.k), wide = w.view.group / 32;
    const Int4Group* group = &w.groups[size_t{1} * column * parts + g * wide];
    const int8_t* s8 = x.view().s8 + row * x.view().stride + g * w.view.group;
    int dot = 0, total = 0;
    for (int i = 0; i < w.view.group; ++i) {
      total += s8[i];
      if (g * wide + i / 32 < parts) dot += s8[i] * group[i / 32].level(i % 32);
    }
    const auto terms = x.view().row_terms(row)[g];
    CHECK(terms.sum == terms.scale * static_cast<float>(total));
    sum = std::fma(F16ToFloat(group->scale) * terms.scale, static_cast<float>(dot), sum);
    sum = std::fma(F16ToFloat(group->minimum), terms.sum, sum);
  }
  return sum + w.bias[column];
}

TEST_CASE("INT4 packing is lossless and pads with zeros") {
  for (int size : {32, 64}) {
    const OwnedInt4 w(70, 72, size, 1);
    for (int n = 0; n < 128; ++n) {
      for (int k = 0; k < 72; ++k) {
        float want = 0;
        if (n < 70) {
          const Int4Group& group = w.groups[n * 3 + k / 32];
          want = F16ToFloat(group.scale) * static_cast<float>(group.level(k % 32)) +
                 F16ToFloat(group.minimum);
        }
        CHECK(UnpackInt4(w.view, n, k) == want);
      }
    }
  }
}

TEST_CASE("INT4 activation rows are within half a step of their group") {
  auto x = Normal(5 * 100, 2);
  for (int i = 32; i < 64; ++i) x[i] = 0;
  x[70] = 1e5f;  // has no effect on the other groups
  for (int size : {32, 64}) {
    GroupedRows q(5, 100);
    q.Quantize(x.data(), 100, 5, 100, size);
    REQUIRE(q.view().stride == 128);
    for (int r = 0; r < 5; ++r) {
      for (int c = 0; c < 128; ++c) {
        const float scale = q.view().row_terms(r)[c / size].scale;
        const float back = scale * q.view().s8[r * 128 + c];
        CHECK(std::fabs(back - (c < 100 ? x[r * 100 + c] : 0.0f)) <= 0.5001f * scale);
      }
    }
  }
}

// Returns the number of results of the kernel and of the matmul that differ from the reference and
// the formula.
int WrongResults(int m, int n, int k, int group) {
  const Int4Kernel& kernel = SelectInt4Kernel();
  const OwnedInt4 w(n, k, group, 3);
  GroupedRows x(m, k);
  const auto rows = Normal(size_t{1} * m * k, 4, 0.3f);
  x.Quantize(rows.data(), k, m, k, group);
  int wrong = 0;
  for (int first = 0; first < m; ++first) {
    for (int count = 1; count <= std::min(kernel.max_rows, m - first); ++count) {
      alignas(64) float want[Int4Kernel::kMaxRows * 64], got[Int4Kernel::kMaxRows * 64];
      Int4TileReference(x.view(), first, count, w.packed.data(), w.view.groups(), want);
      kernel.tile(x.view(), first, count, w.packed.data(), w.view.groups(), got);
      for (int i = 0; i < count * 64; ++i) wrong += got[i] != want[i];
    }
  }
  std::vector<float> out(size_t{1} * m * n), sum(out.size(), 1.0f);
  const Int4MatMul matmul;
  matmul.Store(x, w.view, out.data(), n);
  matmul.Add(x, w.view, sum.data(), n);
  for (int r = 0; r < m; ++r) {
    for (int j = 0; j < n; ++j) {
      wrong += out[r * n + j] != Expected(x, w, r, j);
      wrong += sum[r * n + j] != 1.0f + out[r * n + j];
    }
  }
  return wrong;
}

TEST_CASE("every INT4 kernel gives the reference's bits, for any number of rows") {
  ForEachKernel("int4", Int4Kernels(), [](const Int4Kernel&) {
    for (const auto& shape : {std::array{1, 64, 32}, {7, 70, 37}, {16, 200, 320}, {33, 130, 576}}) {
      CAPTURE(shape[0]);
      for (int group : {32, 64}) CHECK(WrongResults(shape[0], shape[1], shape[2], group) == 0);
    }
  });
}

TEST_CASE("extreme values do not saturate") {
  // All levels are 15, and all activations have the largest magnitude, with either sign.
  constexpr int k = 4096;
  Int4Group full;
  full.scale = FloatToF16(1.0f);
  std::fill_n(full.q, 16, uint8_t{255});
  const std::vector<Int4Group> groups(k / 32, full);
  for (int group : {32, 64}) {
    AlignedBuffer<uint8_t> packed(Int4PackedBytes(1, k, group));
    PackInt4Block(groups.data(), 1, k, group, packed.data());
    const Int4Linear w{k, 1, group, packed.data(), nullptr};
    ForEachKernel("int4", Int4Kernels(), [&](const Int4Kernel&) {
      for (float value : {127.0f, -127.0f}) {
        const std::vector<float> x(k, value);
        GroupedRows rows(1, k);
        rows.Quantize(x.data(), k, 1, k, group);
        float out = 0;
        Int4MatMul().Store(rows, w, &out, 1);
        CHECK(out == value * 15 * k);
      }
    });
  }
}

TEST_CASE("SwiGLU and GELU epilogues of 4-bit layers equal the reference") {
  constexpr int kRows = 9, kInner = 128, k = 96;
  const OwnedInt4 w(2 * kInner, k, 64, 5);
  const Linear linear{w.view};
  CHECK(linear.n() == 2 * kInner);
  const auto x = Normal(size_t{kRows} * k, 6);
  const std::vector<float> weight(k, 0.5f);
  LinearFormatSet formats;
  formats.Add(linear);
  LinearMatMul matmul({kRows, 2 * kInner}, formats, Int8MatMul::Backend::kAuto);
  CHECK(matmul.Description().find("4-bit") != std::string::npos);
  matmul.NormalizeAndQuantize(linear, x.data(), k, kRows, weight.data(), 1e-5f);
  std::vector<float> plain(kRows * 2 * kInner), gated(kRows * kInner), bent(plain.size());
  matmul.Store(linear, plain.data(), 2 * kInner);
  matmul.SwiGlu(linear, gated.data(), kInner);
  matmul.Gelu(linear, bent.data(), 2 * kInner);
  for (int r = 0; r < kRows; ++r) {
    for (int i = 0; i < kInner; ++i) {
      const float gate = plain[r * 2 * kInner + i / 64 * 128 + i % 64];
      const float up = plain[r * 2 * kInner + i / 64 * 128 + 64 + i % 64];
      CHECK(gated[r * kInner + i] ==
            doctest::Approx(gate / (1 + std::exp(-gate)) * up).epsilon(1e-5));
    }
    for (int i = 0; i < 2 * kInner; ++i) {
      const double v = plain[r * 2 * kInner + i];
      const double want = v / 2 * (1 + std::tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
      CHECK(std::fabs(bent[r * 2 * kInner + i] - want) < 1e-5 * (1 + std::fabs(v)));
    }
  }
}

}  // namespace
}  // namespace edgegate
