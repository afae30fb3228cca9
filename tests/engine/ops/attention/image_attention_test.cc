#include "engine/ops/attention/image_attention.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/base/cpu_features.h"
#include "engine/ops/attention/int8_attention.h"
#include "tests/fakes/kernel_paths.h"
#include "tests/fakes/normal_values.h"
#include "tests/fakes/worst.h"

namespace edgegate {
namespace {

float WorstOf(const std::vector<float>& a, const std::vector<float>& b) {
  float worst = 0;
  for (size_t i = 0; i < a.size(); ++i) worst = Worst(worst, std::fabs(a[i] - b[i]));
  return worst;
}

// The quantized keys and values of one head, and queries of them.
struct Head {
  Head(int positions, int head_dim, int queries)
      : dim(head_dim),
        rows(queries),
        count(positions),
        q(static_cast<size_t>(queries * Int8Query::Bytes(head_dim))),
        tiles(static_cast<size_t>(Int8KvTile::Bytes(head_dim)) *
              ((positions + kAttentionTile - 1) / kAttentionTile)) {
    Ask(Normal(size_t{1} * queries * head_dim, 3));
    const auto keys = Normal(size_t{1} * positions * dim, 1);
    auto values = Normal(size_t{1} * positions * dim, 2);
    for (size_t i = 0; i < values.size(); i += static_cast<size_t>(dim)) values[i] *= 50;
    for (int first = 0; first < positions; first += kAttentionTile) {
      const int64_t at = int64_t{first} * dim;
      uint8_t* memory = tiles.data() + first / kAttentionTile * Int8KvTile::Bytes(dim);
      StoreInt8Tile(Int8KvTile::At(memory, dim), dim, std::min(kAttentionTile, positions - first),
                    keys.data() + at, values.data() + at, dim);
    }
  }

  void Ask(const std::vector<float>& queries) {
    for (int row = 0; row < rows; ++row) {
      StoreInt8Query(queries.data() + row * dim, dim, q.data() + row * Int8Query::Bytes(dim));
    }
  }

  std::vector<float> Run(bool reference, int chunk) {
    std::vector<float> out(static_cast<size_t>(rows) * dim);
    for (int row = 0; row < rows; row += chunk) {
      const Int8AttentionTask task{.queries = q.data() + row * Int8Query::Bytes(dim),
                                   .out = out.data() + row * dim,
                                   .stride = dim,
                                   .rows = std::min(chunk, rows - row),
                                   .head_dim = dim,
                                   .scale = 1 / std::sqrt(static_cast<float>(dim)),
                                   .tiles = tiles.data(),
                                   .positions = count};
      reference ? AttendInt8Reference(task) : SelectInt8AttentionKernel().attend(task);
    }
    return out;
  }

  int dim, rows, count;
  std::vector<uint8_t> q;
  AlignedBuffer<uint8_t> tiles;
};

// Calls body() for each kernel of INT8 attention.
template <typename Body>
void ForEachInt8Kernel(Body body) {
  ForEachKernel("int8 attention", Int8AttentionKernels(),
                [&](const Int8AttentionKernel&) { body(); });
}

// Checks one shape of a head.
void CheckShape(int positions, int dim) {
  CAPTURE(dim);
  CAPTURE(positions);
  Head head(positions, dim, 37);
  const auto want = head.Run(true, head.rows), got = head.Run(false, head.rows);
  // The errors of the weights, and of their sum, are at most half of 1/255 of the largest weight.
  // The result is an average of values of up to 4, and of up to 200 in the first component.
  for (int d = 0; d < dim; ++d) {
    float worst = 0;
    for (int row = 0; row < head.rows; ++row) {
      const size_t at = static_cast<size_t>(row) * dim + d;
      worst = Worst(worst, std::fabs(got[at] - want[at]));
    }
    CHECK(worst < (d == 0 ? 1.0f : 0.02f));
  }
  for (int chunk : {1, 3, 16}) CHECK(head.Run(false, chunk) == got);
}

TEST_CASE("INT8 attention equals its reference, and its bytes do not depend on the other rows") {
  ForEachInt8Kernel([] {
    for (int dim : {8, 9, 18, 48, 64, 72, 80, 128, 256}) {
      for (int positions : {1, 64, 129, 384}) CheckShape(positions, dim);
    }
  });
}

std::vector<float> AttendAll(bool precise, int patches, int heads, int dim);

TEST_CASE("each kernel of INT8 attention gives the same bits") {
  for (const float size : {1e-20f, 1.0f, 30.0f, 1e5f}) {
    for (const int dim : {9, 72, 128}) {
      Head head(300, dim, 37);
      auto queries = Normal(size_t{37} * dim, 3);
      for (float& x : queries) x *= size;
      head.Ask(queries);
      std::vector<float> want;
      ForEachInt8Kernel([&] {
        const auto got = head.Run(false, head.rows);
        if (want.empty()) want = got;
        CHECK(got == want);
      });
    }
  }
}

TEST_CASE("each instruction set gives the same bits for an image") {
  for (const bool precise : {false, true}) {
    (void)SetIsaCap("scalar");
    const auto want = AttendAll(precise, 200, 3, 72);
    ForEachIsa("image attention", [&] { CHECK(AttendAll(precise, 200, 3, 72) == want); });
  }
}

TEST_CASE("queries, keys and values of zero give the mean and zero") {
  ForEachInt8Kernel([] {
    Head head(200, 72, 4);
    head.Ask(std::vector<float>(size_t{4} * 72));
    CHECK(WorstOf(head.Run(false, 4), head.Run(true, 4)) < 1e-4f);
    const std::vector<float> nothing(size_t{200} * 72);
    for (int tile : {0, 1}) {
      uint8_t* memory = head.tiles.data() + tile * Int8KvTile::Bytes(72);
      StoreInt8Tile(Int8KvTile::At(memory, 72), 72, tile == 0 ? 128 : 72, nothing.data(),
                    nothing.data(), 72);
    }
    CHECK(head.Run(false, 4) == std::vector<float>(size_t{4} * 72));
  });
}

TEST_CASE("attention scores of any magnitude give the reference's weights") {
  ForEachInt8Kernel([] {
    Head head(200, 72, 8);
    for (const float size : {1e-20f, 1e-3f, 100.0f, 1e5f, 1e12f, 1e25f}) {
      CAPTURE(size);
      auto queries = Normal(size_t{8} * 72, 3);
      for (float& x : queries) x *= size;
      head.Ask(queries);
      const auto want = head.Run(true, 8), got = head.Run(false, 8);
      for (size_t i = 0; i < want.size(); ++i) {
        // The values of the first component are up to 200.
        CHECK(std::fabs(got[i] - want[i]) < (i % 72 == 0 ? 2.0f : 0.04f));
      }
    }
  });
}

// Stores the patches in two calls, as the encoder's slices do.
std::vector<float> AttendAll(bool precise, int patches, int heads, int dim) {
  const int width = heads * dim, first = ImageAttention::kPatches;
  const auto kv = Normal(size_t{2} * patches * width, 5);
  const auto q = Normal(size_t{1} * patches * width, 6);
  ImageAttention attention(patches, heads, dim, precise);
  attention.Store(0, first, q.data(), width, kv.data(), kv.data() + width, 2 * width);
  const float* second = kv.data() + int64_t{first} * 2 * width;
  attention.Store(first, patches - first, q.data() + int64_t{first} * width, width, second,
                  second + width, 2 * width);
  std::vector<float> out(q.size());
  attention.Attend(0, first, out.data());
  attention.Attend(first, patches - first, out.data() + int64_t{first} * width);
  return out;
}

TEST_CASE("INT8 attention of an image equals bf16 attention to within its rounding") {
  ForEachIsa("image attention", [] {
    const auto precise = AttendAll(true, 200, 3, 72), coarse = AttendAll(false, 200, 3, 72);
    // The results are averages of about ten values of magnitude one.
    CHECK(WorstOf(precise, coarse) < 0.05f);
    CHECK(precise != coarse);
  });
}

}  // namespace
}  // namespace edgegate
