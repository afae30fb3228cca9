// The attention of a vision encoder's layer: each patch of an image attends to all patches.
// Queries, keys and values are stored in INT8 (int8_attention.h) or in bf16 (attention.h).
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/ops/attention/attention.h"
#include "engine/ops/attention/int8_attention.h"

namespace edgegate {

// The stored patches of one layer, and their attention. Owned by one thread. Computes with the
// threads of ThreadPool::Current().
class ImageAttention {
 public:
  // Allocates the memory for one layer of `patches` patches. INT8 takes half the time of bf16. Its
  // error is about as large as that of the INT8 layers around it. Uses bf16 if `precise` is set or
  // if a head has more than kMaxInt8HeadDim components. Throws std::bad_alloc.
  ImageAttention(int patches, int heads, int head_dim, bool precise);

  // `count` of Store() must be a multiple of this number of patches, except in the last call.
  static constexpr int kPatches = 128;

  // Stores patches [first, first + count) of a layer, in parallel. `queries`, `keys` and `values`
  // are float [count][heads * head_dim]. Rows of queries are `q_stride` floats apart, the other
  // rows `stride` floats. They replace the patches of the previous layer.
  void Store(int first, int count, const float* queries, int64_t q_stride, const float* keys,
             const float* values, int64_t stride);

  // Writes the attention of patches [first, first + count) to out, float [count][heads * head_dim],
  // in parallel. All patches must be stored.
  void Attend(int first, int count, float* out);

 private:
  void StoreBf16(int first, int count, const float* queries, int64_t q_stride, const float* keys,
                 const float* values, int64_t stride);
  uint8_t* QueryOf(int head, int patch);
  uint8_t* TilesOf(int head);
  void AttendRows(int head, int first, int count, float* out);

  const int patches_, heads_, head_dim_;
  const Int8AttentionKernel* const int8_;  // null: bf16
  AlignedBuffer<uint8_t> queries8_;        // [heads][patches] of Int8Query
  AlignedBuffer<uint8_t> tiles_;           // [heads][tiles] of Int8KvTile
  AlignedBuffer<float> queries_;           // [patches][heads * head_dim], scaled
  AlignedBuffer<uint16_t> kv_;             // in the layout of KvLayer
  KvLayer layer_;
  std::vector<int32_t> blocks_;  // block table: 0, 1, ...
};

}  // namespace edgegate
