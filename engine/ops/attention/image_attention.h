// The attention of a vision tower's layer: each patch of a picture sees all. Queries, keys
// and values are kept in INT8 (int8_attention.h) or in bf16 (attention.h).
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/ops/attention/attention.h"

namespace edgegate {

// Owned by one thread. Computes with the threads of ThreadPool::Current().
class ImageAttention {
 public:
  // INT8 halves the time and costs about as much precision as INT8 layers around it do;
  // `precise` keeps to bf16, as processors without vpdpbusd do. Throws std::bad_alloc.
  ImageAttention(int patches, int heads, int head_dim, bool precise);

  // What the patches that Store() is called with must come in multiples of, but the last.
  static constexpr int kPatches = 128;

  // Queries of patches [first, first + count), [count][heads * head_dim], `q_stride` floats apart,
  // and their keys and values, alike, `stride` apart; of the layer before, they are forgotten. In
  // parallel.
  void Store(int first, int count, const float* queries, int64_t q_stride, const float* keys,
             const float* values, int64_t stride);

  // Attends with the queries of patches [first, first + count), to out [count][heads * head_dim].
  // All patches must be stored. In parallel.
  void Attend(int first, int count, float* out);

 private:
  void StoreBf16(int first, int count, const float* queries, int64_t q_stride, const float* keys,
                 const float* values, int64_t stride);
  uint8_t* QueryOf(int head, int patch);
  uint8_t* TilesOf(int head);
  void AttendRows(int head, int first, int count, float* out);

  const int patches_, heads_, head_dim_;
  const bool int8_;
  AlignedBuffer<uint8_t> queries8_;  // [heads][patches], each as Int8Query says
  AlignedBuffer<uint8_t> tiles_;     // [heads][tiles], each as Int8KvTile says
  AlignedBuffer<float> queries_;     // [patches][heads * head_dim], scaled
  AlignedBuffer<uint16_t> kv_;       // as KvLayer says
  KvLayer layer_;
  std::vector<int32_t> blocks_;  // 0, 1, ...
};

}  // namespace edgegate
