// Attention of an image's patches in INT8: each patch attends to all patches. Keys, values, queries
// and softmax weights are quantized. Products are accumulated exactly in s32.
//
// The softmax is the online softmax (Milakov and Gimelshein 2018, arXiv:1805.02867) over tiles of
// positions, in order. As in SageAttention (Zhang et al. 2024, arXiv:2410.02367), keys have a scale
// for each position, values have a scale for each component of a tile, and weights are fractions of
// the largest weight of the tile. The result of a row does not depend on the rows that share the
// call.
#pragma once

#include <cstdint>
#include <span>

#include "engine/ops/isa/kernel_table.h"

namespace edgegate {

inline constexpr int kAttentionTile = 128;  // positions
inline constexpr int kMaxInt8HeadDim = 256;

// One head's keys and values of a tile of positions: views of 64-byte-aligned memory.
struct Int8KvTile {
  static constexpr int kKeyOffset = 128;

  uint8_t* keys = nullptr;        // [quads][kAttentionTile][4]: kKeyOffset + s8
  float* key_scales = nullptr;    // [kAttentionTile]
  int8_t* values = nullptr;       // [kAttentionTile / 4][padded_dim][4]: see PositionOf()
  float* value_scales = nullptr;  // [padded_dim]

  // The position that is the i-th of a quad of values. This is the order in which vectors of
  // weights are packed to bytes.
  static int PositionOf(int quad, int i) {
    return quad / 16 * 64 + quad % 4 * 16 + quad % 16 / 4 * 4 + i;
  }

  static int quads(int head_dim) { return (head_dim + 3) / 4; }
  static int padded_dim(int head_dim) { return (head_dim + 15) / 16 * 16; }
  static int64_t Bytes(int head_dim);
  static Int8KvTile At(uint8_t* memory, int head_dim);
};

// Quantizes the tile's first `count` positions: keys and values [count][head_dim], rows `stride`
// floats apart. The other positions become zero.
void StoreInt8Tile(const Int8KvTile& tile, int head_dim, int count, const float* keys,
                   const float* values, int64_t stride);

// One head's query: this header, and after it s8 [padded_dim], zero past head_dim. Kernels read
// whole quads.
struct Int8Query {
  float scale;  // of the s8
  int32_t sum;  // of the s8: subtracts kKeyOffset from the products

  static int64_t Bytes(int head_dim) {
    return static_cast<int64_t>(sizeof(Int8Query)) + Int8KvTile::padded_dim(head_dim);
  }
};

// Quantizes a query, [head_dim], to Int8Query::Bytes(head_dim) at `out`, 4-byte aligned.
void StoreInt8Query(const float* query, int head_dim, uint8_t* out);

// Queries of one head and where their results go.
struct Int8AttentionTask {
  const uint8_t* queries = nullptr;  // [rows], each Int8Query::Bytes(head_dim)
  float* out = nullptr;              // [rows][head_dim]
  int64_t stride = 0;                // floats between rows of out
  int rows = 0;
  int head_dim = 0;          // at most kMaxInt8HeadDim
  float scale = 1;           // of the scores: head_dim^-0.5
  uint8_t* tiles = nullptr;  // of the head, one after the other
  int positions = 0;         // in all tiles; all but the last are full
};

// A row of the table. attend() computes one task on the calling thread.
struct Int8AttentionKernel {
  KernelTarget target;
  void (*attend)(const Int8AttentionTask& task);
};

// All kernels that were compiled, the fastest first.
std::span<const Int8AttentionKernel> Int8AttentionKernels();

// The fastest kernel of the current level. Null if it has none: they all need vpdpbusd.
// Thread-safe.
const Int8AttentionKernel* SelectInt8AttentionKernel();

// The reference of the tests: the same quantized keys, values and queries, but exact weights.
void AttendInt8Reference(const Int8AttentionTask& task);

}  // namespace edgegate
