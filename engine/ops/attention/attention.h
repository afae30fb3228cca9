// Grouped-query attention (Ainslie et al. 2023, arXiv:2305.13245) over a paged KV cache (Kwon et
// al. 2023, arXiv:2309.06180). A token attends to the positions up to its own, or to a fixed number
// of positions.
//
// The softmax is the online softmax (Milakov and Gimelshein 2018, arXiv:1805.02867) over tiles of
// positions, in order. The result of a row depends only on its position and on the cache. It does
// not depend on the number of queries, sequences or threads that share the call.
//
// All kernels give the same bits. They round queries and weights to bf16, as keys and values are.
// If values have 8 bits, a weight is multiplied by their scale before it is rounded. Products of
// bf16 numbers are exact in float, because numbers below kLeastFactor are stored as zero. The sum
// of the weights has 16 virtual lanes (isa/fixed_sum-inl.h).
#pragma once

#include <cstdint>
#include <span>

#include "engine/ops/attention/kv_cache.h"
#include "engine/ops/isa/kernel_table.h"

namespace edgegate {

// The queries of one KV head's group: `tokens` consecutive positions of one sequence, from
// `first_position` on, with `group` query heads each. Row (t, g) is at q + t * q_stride + g *
// head_dim. Its result goes to out + t * out_stride + g * head_dim. Block i of the table holds
// positions [16 i, 16 i + 16). A view: the caller owns the memory.
struct AttentionTask {
  const float* q = nullptr;  // [tokens][group][head_dim], rope applied, scaled by head_dim^-0.5
  float* out = nullptr;
  int64_t q_stride = 0;    // floats between tokens of q
  int64_t out_stride = 0;  // floats between tokens of out
  int group = 0;
  int tokens = 0;
  int first_position = 0;
  const int32_t* block_table = nullptr;
  int kv_head = 0;
  int visible = 0;  // 0: causal; otherwise the number of positions that each token attends to
};

// A row of the kernel table. attend() computes one task on the calling thread. Thread-safe.
struct AttentionKernel {
  KernelTarget target;
  void (*attend)(const KvLayer& kv, const AttentionTask& task);
};

// Returns all kernels that were compiled, from the fastest to the slowest.
std::span<const AttentionKernel> AttentionKernels();

// Returns the fastest kernel of the current level (SetIsaCap()). Thread-safe.
const AttentionKernel& SelectAttentionKernel();

// Computes one task on the calling thread with the selected kernel. Thread-safe: different tasks
// write different rows.
void Attend(const KvLayer& kv, const AttentionTask& task);

// Computes a task with plain loops, as the reference of the tests. Its results equal those of
// Attend() up to float rounding.
void AttendReference(const KvLayer& kv, const AttentionTask& task);

}  // namespace edgegate
