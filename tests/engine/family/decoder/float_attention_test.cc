#include "engine/family/decoder/float_attention.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/base/thread_pool.h"
#include "tests/fakes/normal_values.h"

namespace edgegate {
namespace {

// Computes one query head at one position, with scalar sums. `k` and `v` begin with the sequence.
void Reference(const float* q, const float* k, const float* v, int64_t stride, int dim,
               int position, float* out) {
  const float scale = 1.0f / std::sqrt(static_cast<float>(dim));
  std::vector<float> weights;
  for (int p = 0; p <= position; ++p) {
    weights.push_back(std::inner_product(q, q + dim, k + p * stride, 0.0f) * scale);
  }
  const float largest = *std::max_element(weights.begin(), weights.end());
  float total = 0;
  for (float& w : weights) total += w = std::exp(w - largest);
  std::fill_n(out, dim, 0.0f);
  for (int p = 0; p <= position; ++p) {
    const float w = weights[p] / total;
    for (int d = 0; d < dim; ++d) out[d] += w * v[p * stride + d];
  }
}

TEST_CASE("causal attention gives the bits of scalar sums") {
  for (const auto& [heads, kv_heads, dim, tokens, sequence] : {std::tuple{4, 2, 24, 37, 37},
                                                               {3, 1, 64, 50, 20},
                                                               {2, 2, 7, 5, 512},
                                                               {16, 4, 128, 131, 131}}) {
    ModelConfig c;
    c.num_heads = heads;
    c.num_kv_heads = kv_heads;
    c.head_dim = dim;
    CAPTURE(c.head_dim);
    const auto q = Normal(size_t{1} * tokens * c.q_size(), 1);
    const auto k = Normal(size_t{1} * tokens * c.kv_size(), 2);
    const auto v = Normal(size_t{1} * tokens * c.kv_size(), 3);
    std::vector<float> want(q.size());
    for (int t = 0; t < tokens; ++t) {
      for (int head = 0; head < heads; ++head) {
        const int64_t at = int64_t{t} * c.q_size() + int64_t{head} * dim;
        const int64_t start =
            int64_t{t - t % sequence} * c.kv_size() + int64_t{head / (heads / kv_heads)} * dim;
        Reference(&q[at], &k[start], &v[start], c.kv_size(), dim, t % sequence, &want[at]);
      }
    }
    CHECK(CausalAttention(c, q, k, v, sequence) == want);
    ThreadPool pool(3);
    const ThreadPool::Use use(&pool);
    CHECK(CausalAttention(c, q, k, v, sequence) == want);
  }
}

}  // namespace
}  // namespace edgegate
