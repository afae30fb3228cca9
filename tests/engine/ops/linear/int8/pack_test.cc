#include "engine/ops/linear/int8/pack.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "tests/fakes/kernel_paths.h"

namespace edgegate {
namespace {

struct Block {
  std::vector<int8_t> packed;
  std::vector<float> scale = std::vector<float>(64);
  std::vector<int32_t> sums = std::vector<int32_t>(64);
  bool operator==(const Block&) const = default;
};

Block Reference(const std::vector<float>& rows, int count, int k) {
  Block block;
  block.packed.resize(static_cast<size_t>(PackedBytes(64, k)));
  for (int n = 0; n < count; ++n) {
    const float* row = rows.data() + int64_t{n} * k;
    float largest = 0;
    for (int i = 0; i < k; ++i) largest = std::max(largest, std::fabs(row[i]));
    if (largest < 1e-35f) continue;
    block.scale[n] = largest / 127.0f;
    for (int i = 0; i < k; ++i) {
      const auto nearest = static_cast<int>(std::nearbyintf(row[i] * (127.0f / largest)));
      const int value = std::clamp(nearest, -127, 127);
      block.packed[(int64_t{i / 4} * 64 + n) * 4 + i % 4] = static_cast<int8_t>(value);
      block.sums[n] += value;
    }
  }
  return block;
}

// Packs `count` random rows of `k` columns. They include halves, which round to even, a row of
// zeros, and a row that is too small to quantize.
void CheckPacking(int count, int k) {
  CAPTURE(k);
  CAPTURE(count);
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> rows(static_cast<size_t>(count) * k);
  for (float& value : rows) value = normal(random);
  for (int i = 0; i < k; ++i) rows[i] = static_cast<float>(i % 255 - 127) * 0.5f;
  if (count > 2) std::fill_n(rows.begin() + k, k, 0.0f);
  if (count > 2) std::fill_n(rows.begin() + 2 * k, k, 1e-36f);
  Block block;
  block.packed.resize(static_cast<size_t>(PackedBytes(64, k)), 99);
  PackInt8Block(rows.data(), count, k, block.packed.data(), block.scale.data(), block.sums.data());
  CHECK(block == Reference(rows, count, k));
}

TEST_CASE("packing a block gives the bytes of the scalar definition") {
  ForEachIsa("int8 packing", [] {
    for (const int k : {1, 3, 16, 63, 64, 65, 72, 200, 1152}) {
      for (const int count : {1, 8, 63, 64}) CheckPacking(count, k);
    }
  });
}

}  // namespace
}  // namespace edgegate
