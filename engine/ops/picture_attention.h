// The attention of a vision tower's layer: each patch of a picture sees all. Keys and values are
// kept in INT8 (int8_attention.h) or in bf16 (attention.h).
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/ops/attention.h"

namespace edgegate {

// Owned by one thread, which is the master of the OpenMP team.
class PictureAttention {
 public:
  // INT8 halves the time and costs about as much precision as INT8 layers around it do;
  // `precise` keeps to bf16, as processors without vpdpbusd do. Throws std::bad_alloc.
  PictureAttention(int patches, int heads, int head_dim, bool precise);

  // What the patches that Store() is called with must come in multiples of, but the last.
  static constexpr int kPatches = 128;

  // Keys and values of patches [first, first + count), each [count][heads * head_dim], `stride`
  // floats apart; of the layer before, they are forgotten. In parallel.
  void Store(int first, int count, const float* keys, const float* values, int64_t stride);

  // Attends with `count` rows of queries, [count][heads * head_dim], which are not kept; `out` has
  // the same shape. All patches must be stored. In parallel.
  void Attend(int count, float* queries, float* out);

 private:
  uint8_t* TilesOf(int head);
  void AttendRows(int head, int count, float* queries, float* out);

  const int patches_, heads_, head_dim_;
  const bool int8_;
  AlignedBuffer<uint8_t> tiles_;  // [heads][tiles], each as Int8KvTile says
  AlignedBuffer<uint16_t> kv_;    // as KvLayer says
  KvLayer layer_;
  std::vector<int32_t> blocks_;  // 0, 1, ...
};

}  // namespace edgegate
