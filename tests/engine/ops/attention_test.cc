#include "engine/ops/attention.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "engine/base/cpu_features.h"
#include "engine/base/half.h"
#include "engine/ops/isa.h"

namespace edgegate {
namespace {

// A cache with random keys and values at shuffled blocks.
struct Cache {
  Cache(int positions, int kv_heads, int dim) : dimension(dim), heads(kv_heads) {
    const int blocks = (positions + kKvBlock - 1) / kKvBlock;
    layer = {nullptr, kv_heads, dim};
    memory.Reset(static_cast<size_t>(layer.block_elements()) * blocks + kKvSlack);
    layer.data = memory.data();
    std::fill_n(memory.data(), memory.size(), uint16_t{0xffff});  // NaN: nobody may read it
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

TEST_CASE("attention equals the reference, and its bytes do not depend on the company") {
  for (const char* isa : {"scalar", "avx2", "avx512", "auto"}) {
    CAPTURE(isa);
    (void)SetIsaCap(isa);
    // Sums of at most 185 terms of magnitude below 5, each rounded at 2^-24; weights at 2^-9 where
    // they are bf16 (as the queries here are, so that these add nothing).
    const float slack = HasAvx512Bf16() ? 1e-2f : 1e-4f;
    for (const auto& shape :
         {std::pair{8, 1}, {9, 2}, {24, 3}, {64, 3}, {80, 2}, {128, 4}, {18, 2}, {72, 5}}) {
      const int dim = shape.first, group = shape.second;
      CAPTURE(dim);
      const int first = 145, tokens = 40;
      Cache cache(first + tokens, 2, dim);
      std::mt19937 random(2);
      std::normal_distribution<float> normal(0, 0.3f);
      std::vector<float> q(static_cast<size_t>(tokens) * group * dim);
      for (float& x : q) x = Bf16ToFloat(FloatToBf16(normal(random)));
      const auto want = Run(cache, q, tokens, group, first, 1, true, tokens);
      const auto got = Run(cache, q, tokens, group, first, 1, false, tokens);
      float worst = 0;
      for (size_t i = 0; i < got.size(); ++i) worst = std::max(worst, std::fabs(got[i] - want[i]));
      CHECK(worst < slack);
      for (int chunk : {1, 3, 16}) {
        CHECK(Run(cache, q, tokens, group, first, 1, false, chunk) == got);
      }
    }
  }
  (void)SetIsaCap("auto");
}

}  // namespace
}  // namespace edgegate
