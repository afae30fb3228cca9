#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/base/half.h"
#include "engine/ops/attention.h"

namespace edgegate {

void WriteKv(const KvLayer& kv, int block, int offset, const float* key, const float* value) {
  for (int head = 0; head < kv.num_kv_heads; ++head) {
    uint16_t* keys = kv.keys(block, head);
    uint16_t* values = kv.values(block, head);
    const float* k = key + int64_t{head} * kv.head_dim;
    const float* v = value + int64_t{head} * kv.head_dim;
    for (int d = 0; d < kv.head_dim; ++d) {
      keys[KvLayer::key_index(offset, d)] = FloatToBf16(k[d]);
      values[kv.value_index(offset, d)] = FloatToBf16(v[d]);
    }
    if (kv.head_dim % 2 != 0) keys[KvLayer::key_index(offset, kv.head_dim)] = 0;
  }
}

void AttendReference(const KvLayer& kv, const AttentionTask& task) {
  for (int t = 0; t < task.tokens; ++t) {
    const int positions = task.visible > 0 ? task.visible : task.first_position + t + 1;
    for (int g = 0; g < task.group; ++g) {
      const float* q = task.q + t * task.q_stride + int64_t{g} * kv.head_dim;
      float* out = task.out + t * task.out_stride + int64_t{g} * kv.head_dim;
      std::vector<double> weight(positions);
      double largest = -INFINITY;
      for (int p = 0; p < positions; ++p) {
        const uint16_t* keys = kv.keys(task.block_table[p / kKvBlock], task.kv_head);
        double score = 0;
        for (int d = 0; d < kv.head_dim; ++d) {
          score += double{q[d]} * Bf16ToFloat(keys[KvLayer::key_index(p % kKvBlock, d)]);
        }
        weight[p] = score;
        largest = std::max(largest, score);
      }
      double total = 0;
      for (double& w : weight) total += w = std::exp(w - largest);
      for (int d = 0; d < kv.head_dim; ++d) {
        double sum = 0;
        for (int p = 0; p < positions; ++p) {
          const uint16_t* values = kv.values(task.block_table[p / kKvBlock], task.kv_head);
          sum += weight[p] * Bf16ToFloat(values[kv.value_index(p % kKvBlock, d)]);
        }
        out[d] = static_cast<float>(sum / total);
      }
    }
  }
}

}  // namespace edgegate
