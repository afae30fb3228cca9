// Grouped-query attention over a paged KV cache: causal, or all positions seeing all.
//
// The softmax is the online softmax (Milakov and Gimelshein 2018, arXiv:1805.02867) over tiles of
// positions, in order. The result of a row depends on its position and on the cache alone. It does
// not depend on the number of queries, sequences or threads that share the call. Where the
// processor multiplies pairs of bf16 (AVX512-BF16), queries and weights are rounded to bf16, as
// keys and values are. A weight of values at 8 bits is multiplied by their scale before it is
// rounded.
#pragma once

#include <cstdint>
#include <span>

#include "engine/ops/attention/kv_cache.h"
#include "engine/ops/isa/kernel_table.h"

namespace edgegate {

// Queries of one KV head's group: `tokens` consecutive positions from `first_position` of one
// sequence, `group` query heads each. Row (t, g) is at q + t * q_stride + g * head_dim. Its result
// goes to out + t * out_stride + g * head_dim. Block i of the table holds positions
// [16 i, 16 i + 16).
struct AttentionTask {
  const float* q = nullptr;  // rope applied, and scaled by head_dim^-0.5
  float* out = nullptr;
  int64_t q_stride = 0;    // floats between tokens of q
  int64_t out_stride = 0;  // and of out
  int group = 0;
  int tokens = 0;
  int first_position = 0;
  const int32_t* block_table = nullptr;
  int kv_head = 0;
  int visible = 0;  // 0: causal; else each token attends to this many positions
};

// A row of the table. Kernels that read Activations::kBf16 round the queries and the weights.
struct AttentionKernel {
  KernelTarget target;
  void (*attend)(const KvLayer& kv, const AttentionTask& task);
};

// All kernels that were compiled, the fastest first.
std::span<const AttentionKernel> AttentionKernels();

// The fastest kernel of the current level. Thread-safe.
const AttentionKernel& SelectAttentionKernel();

// Computes one task on the calling thread, with the selected kernel. Thread-safe.
void Attend(const KvLayer& kv, const AttentionTask& task);

// The reference of the tests: the same within float rounding.
void AttendReference(const KvLayer& kv, const AttentionTask& task);

}  // namespace edgegate
