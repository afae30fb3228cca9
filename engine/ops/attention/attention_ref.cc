#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/base/half.h"
#include "engine/ops/attention/attention.h"

namespace edgegate {

namespace {

float KeyAt(const KvLayer& kv, int block, int head, int offset, int d) {
  if (kv.type == KvType::kInt8) {
    const int8_t number = kv.keys8(block, head)[int64_t{d} * kKvBlock + offset];
    return number * kv.key_scales(block, head)[offset];
  }
  return Bf16ToFloat(kv.keys(block, head)[KvLayer::key_index(offset, d)]);
}

float ValueAt(const KvLayer& kv, int block, int head, int offset, int d) {
  if (kv.type == KvType::kInt8) {
    const int8_t number = kv.values8(block, head)[int64_t{offset} * kv.head_dim + d];
    return number * kv.value_scales(block, head)[offset];
  }
  return Bf16ToFloat(kv.values(block, head)[kv.value_index(offset, d)]);
}

}  // namespace

void AttendReference(const KvLayer& kv, const AttentionTask& task) {
  for (int t = 0; t < task.tokens; ++t) {
    const int positions = task.visible > 0 ? task.visible : task.first_position + t + 1;
    for (int g = 0; g < task.group; ++g) {
      const float* q = task.q + t * task.q_stride + int64_t{g} * kv.head_dim;
      float* out = task.out + t * task.out_stride + int64_t{g} * kv.head_dim;
      std::vector<double> weight(positions);
      double largest = -INFINITY;
      for (int p = 0; p < positions; ++p) {
        const int block = task.block_table[p / kKvBlock];
        double score = 0;
        for (int d = 0; d < kv.head_dim; ++d) {
          score += double{q[d]} * KeyAt(kv, block, task.kv_head, p % kKvBlock, d);
        }
        weight[p] = score;
        largest = std::max(largest, score);
      }
      double total = 0;
      for (double& w : weight) total += w = std::exp(w - largest);
      for (int d = 0; d < kv.head_dim; ++d) {
        double sum = 0;
        for (int p = 0; p < positions; ++p) {
          const int block = task.block_table[p / kKvBlock];
          sum += weight[p] * ValueAt(kv, block, task.kv_head, p % kKvBlock, d);
        }
        out[d] = static_cast<float>(sum / total);
      }
    }
  }
}

}  // namespace edgegate
