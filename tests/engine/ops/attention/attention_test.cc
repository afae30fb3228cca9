#include "engine/ops/attention/attention.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/base/cpu_features.h"
#include "engine/base/half.h"
#include "tests/fakes/kernel_paths.h"
#include "tests/fakes/worst.h"

namespace edgegate {
namespace {

// A cache with random keys and values in shuffled blocks.
struct Cache {
  Cache(KvType type, int positions, int kv_heads, int dim) : dimension(dim), heads(kv_heads) {
    const int blocks = (positions + kKvBlock - 1) / kKvBlock;
    layer = {nullptr, kv_heads, dim, type};
    memory.Reset(static_cast<size_t>(layer.block_elements()) * blocks + kKvSlack);
    layer.data = memory.data();
    std::fill_n(memory.data(), memory.size(), uint16_t{0xffff});  // NaN: no result may use it
    for (int b = 0; b < blocks; ++b) table.push_back(blocks - 1 - b);
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> key(static_cast<size_t>(kv_heads) * dim), value(key.size());
    for (int p = 0; p < positions; ++p) {
      for (float& x : key) x = normal(random);
      for (float& x : value) x = normal(random);
      WriteKv(layer, table[static_cast<size_t>(p / kKvBlock)], p % kKvBlock, key.data(),
              value.data());
    }
  }
  int dimension, heads;
  AlignedBuffer<uint16_t> memory;
  KvLayer layer;
  std::vector<int32_t> table;
};

std::vector<float> Run(const Cache& cache, const std::vector<float>& q, int tokens, int group,
                       int first, int head, bool reference, int chunk) {
  std::vector<float> out(q.size());
  const int64_t stride = int64_t{group} * cache.dimension;
  for (int t = 0; t < tokens; t += chunk) {
    AttentionTask task{.q = q.data() + t * stride,
                       .out = out.data() + t * stride,
                       .q_stride = stride,
                       .out_stride = stride,
                       .group = group,
                       .tokens = std::min(chunk, tokens - t),
                       .first_position = first + t,
                       .block_table = cache.table.data(),
                       .kv_head = head};
    reference ? AttendReference(cache.layer, task) : Attend(cache.layer, task);
  }
  return out;
}

// Checks one shape: 40 tokens after 145. The last block is not full.
void CheckShape(KvType type, int dim, int group) {
  CAPTURE(KvTypeName(type));
  CAPTURE(dim);
  // Weights are rounded at 2^-8. The queries here are bf16 numbers, so that rounding them adds no
  // error.
  constexpr float kSlack = 2e-2f;
  const int first = 145, tokens = 40;
  Cache cache(type, first + tokens, 2, dim);
  std::mt19937 random(2);
  std::normal_distribution<float> normal(0, 0.3f);
  std::vector<float> q(static_cast<size_t>(tokens) * group * dim);
  for (float& x : q) x = Bf16ToFloat(FloatToBf16(normal(random)));
  const auto want = Run(cache, q, tokens, group, first, 1, true, tokens);
  const auto got = Run(cache, q, tokens, group, first, 1, false, tokens);
  float worst = 0;
  for (size_t i = 0; i < got.size(); ++i) worst = Worst(worst, std::fabs(got[i] - want[i]));
  CHECK(worst < kSlack);
  for (int chunk : {1, 3, 16}) {
    CHECK(Run(cache, q, tokens, group, first, 1, false, chunk) == got);
  }
}

TEST_CASE(
    "attention equals the reference, and its bytes do not depend on the other rows of the batch") {
  ForEachKernel("attention", AttentionKernels(), [](const AttentionKernel&) {
    for (const KvType type : {KvType::kBf16, KvType::kInt8}) {
      for (const auto& [dim, group] : {std::pair{8, 1},
                                       {9, 2},
                                       {24, 3},
                                       {64, 3},
                                       {80, 2},
                                       {128, 4},
                                       {18, 2},
                                       {72, 5},
                                       {33, 8},
                                       {1024, 1}}) {
        CheckShape(type, dim, group);
      }
    }
  });
}

TEST_CASE("each kernel gives the same bits") {
  std::mt19937 random(4);
  for (const KvType type : {KvType::kBf16, KvType::kInt8}) {
    // Small queries and values reach the least factor. Large queries give weights of zero.
    for (const float spread : {1e-17f, 0.01f, 0.3f, 8.0f}) {
      for (const int dim : {9, 64, 80}) {
        Cache cache(type, 300, 2, dim);
        std::normal_distribution<float> normal(0, spread);
        std::vector<float> q(static_cast<size_t>(19) * 3 * dim), want;
        for (float& x : q) x = normal(random);
        ForEachKernel("attention", AttentionKernels(), [&](const AttentionKernel&) {
          const auto got = Run(cache, q, 19, 3, 300 - 19, 1, false, 19);
          if (want.empty()) want = got;
          CHECK(std::memcmp(got.data(), want.data(), got.size() * sizeof(float)) == 0);
        });
      }
    }
  }
}

// Returns the value of a cache with one position: the result of attending only to it.
std::vector<float> StoredValue(const std::vector<float>& value) {
  const int dim = static_cast<int>(value.size());
  Cache cache(KvType::kInt8, 1, 1, dim);
  WriteKv(cache.layer, 0, 0, value.data(), value.data());
  return Run(cache, std::vector<float>(value.size(), 0.0f), 1, 1, 0, 0, true, 1);
}

TEST_CASE(
    "errors of an 8-bit KV cache are at most half a step, and the largest component is kept") {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (const float size : {1.0f, 1e-20f, 1e20f}) {
    std::vector<float> value(33);
    for (float& x : value) x = size * normal(random);
    value[7] = -9 * size;
    const float step = 9 * size / 127;
    const auto stored = StoredValue(value);
    for (size_t i = 0; i < value.size(); ++i) {
      CHECK(std::fabs(stored[i] - value[i]) <= 0.5001f * step);
    }
    CHECK(stored[7] == doctest::Approx(value[7]));
  }
  const std::vector<float> zero(9), tiny(9, 1e-44f);
  CHECK(StoredValue(zero) == zero);
  for (const float x : StoredValue(tiny)) CHECK(std::fabs(x) <= 1e-44f);
}

TEST_CASE("an 8-bit KV cache takes half the memory, plus a scale for each key and value") {
  const KvLayer bf16{nullptr, 3, 64}, int8{nullptr, 3, 64, KvType::kInt8};
  CHECK(bf16.block_elements() * 2 == 3 * kKvBlock * 64 * 2 * 2);
  CHECK(int8.block_elements() * 2 == 3 * kKvBlock * (64 + 4) * 2);
}

}  // namespace
}  // namespace edgegate
