// Grouped-query attention over a paged KV cache: causal, or all positions seeing all.
//
// The softmax is the online one (Milakov and Gimelshein 2018, arXiv:1805.02867) over tiles of
// positions, in order. What a query's row computes depends on its position and the cache alone:
// never on how many queries, sequences or threads share the call. Where the processor multiplies
// pairs of bf16 (AVX512-BF16), queries and weights are rounded to bf16 as keys and values are.
#pragma once

#include <cstdint>

#include "engine/base/aligned_buffer.h"

namespace edgegate {

// The KV of one layer of all sequences: bf16, in blocks of kKvBlock positions. A block's part of
// one KV head is keys [ceil(head_dim / 2)][kKvBlock][2] (a vector holds a pair of components of
// several keys; an odd head's last pair ends with zero), then values [kKvBlock / 2][head_dim][2]
// (a component of a pair of positions).
inline constexpr int kKvBlock = 16;
// Elements that must be readable behind the last block: vectors may run past its last value.
inline constexpr int kKvSlack = 32;

struct KvLayer {
  uint16_t* data = nullptr;
  int num_kv_heads = 0;
  int head_dim = 0;

  int key_pairs() const { return (head_dim + 1) / 2; }
  int64_t key_elements() const { return int64_t{2} * kKvBlock * key_pairs(); }
  int64_t head_elements() const { return key_elements() + int64_t{kKvBlock} * head_dim; }
  int64_t block_elements() const { return head_elements() * num_kv_heads; }
  uint16_t* keys(int block, int head) const {
    return data + block * block_elements() + head * head_elements();
  }
  uint16_t* values(int block, int head) const { return keys(block, head) + key_elements(); }

  // Where one component of one position stands in keys() and values().
  static int64_t key_index(int offset, int d) {
    return (int64_t{d / 2} * kKvBlock + offset) * 2 + d % 2;
  }
  int64_t value_index(int offset, int d) const {
    return (int64_t{offset / 2} * head_dim + d) * 2 + offset % 2;
  }
};

// Writes one position's key and value (each [num_kv_heads][head_dim] float, rope applied) into
// `block` at `offset` (0 .. kKvBlock - 1), rounded to bf16.
void WriteKv(const KvLayer& kv, int block, int offset, const float* key, const float* value);

// Queries of one KV head's group: `tokens` consecutive positions from `first_position` of one
// sequence, `group` query heads each. Row (t, g) stands at q + t * token_stride + g * head_dim,
// and its result goes to the same place in out. The table's block i holds positions
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
  int visible = 0;  // 0: each token sees itself and what is before; else all see this many
};

// One task, on the calling thread.
void Attend(const KvLayer& kv, const AttentionTask& task);

// The slow truth, to within float rounding.
void AttendReference(const KvLayer& kv, const AttentionTask& task);

}  // namespace edgegate
