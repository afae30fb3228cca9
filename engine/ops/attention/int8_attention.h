// INT8 attention of an image's patches: each patch attends to all patches. Keys, values, queries
// and softmax weights are quantized. Products are accumulated exactly in s32.
//
// The softmax is the online softmax (Milakov and Gimelshein 2018, arXiv:1805.02867) over tiles of
// positions, in order. As in SageAttention (Zhang et al. 2024, arXiv:2410.02367), keys have a scale
// for each position, and weights are fractions of the largest weight of the tile. Values have a
// scale for each component of a tile. The result of a row does not depend on the rows that share
// the call.
#pragma once

#include <cstdint>
#include <span>

#include "engine/ops/isa/kernel_table.h"

namespace edgegate {

inline constexpr int kAttentionTile = 128;  // positions
inline constexpr int kMaxInt8HeadDim = 256;

// One head's keys and values of a tile of positions. A view of 64-byte-aligned memory, which the
// caller owns.
struct Int8KvTile {
  static constexpr int kKeyOffset = 128;

  uint8_t* keys = nullptr;        // [quads][kAttentionTile][4]: kKeyOffset + s8
  float* key_scales = nullptr;    // [kAttentionTile]
  int8_t* values = nullptr;       // [kAttentionTile / 4][padded_dim][4]: see PositionOf()
  float* value_scales = nullptr;  // [padded_dim]

  // Returns the position that is element i of a quad of values. This is the order in which vectors
  // of weights are packed to bytes.
  static int PositionOf(int quad, int i) {
    return quad / 16 * 64 + quad % 4 * 16 + quad % 16 / 4 * 4 + i;
  }

  // Numbers of quads and of components, with padding, of a head.
  static int quads(int head_dim) { return (head_dim + 3) / 4; }
  static int padded_dim(int head_dim) { return (head_dim + 15) / 16 * 16; }
  // Returns the number of bytes of a tile.
  static int64_t Bytes(int head_dim);
  // Returns the tile whose Bytes(head_dim) bytes begin at `memory`, 64-byte aligned.
  static Int8KvTile At(uint8_t* memory, int head_dim);
};

// Quantizes the tile's first `count` positions. Keys and values are float [count][head_dim], with
// rows `stride` floats apart. Sets the other positions to zero. Thread-safe for different tiles.
void StoreInt8Tile(const Int8KvTile& tile, int head_dim, int count, const float* keys,
                   const float* values, int64_t stride);

// The header of one head's quantized query. s8 [padded_dim] follow it, zero from head_dim on.
// Kernels read whole quads.
struct Int8Query {
  float scale;  // value of one step of the s8
  int32_t sum;  // sum of the s8; cancels kKeyOffset in the products

  static int64_t Bytes(int head_dim) {
    return static_cast<int64_t>(sizeof(Int8Query)) + Int8KvTile::padded_dim(head_dim);
  }
};

// Quantizes a query, float [head_dim], and writes Int8Query::Bytes(head_dim) bytes to `out`, 4-byte
// aligned.
void StoreInt8Query(const float* query, int head_dim, uint8_t* out);

// The queries of one head, and the place of their results. A view: the caller owns the memory.
struct Int8AttentionTask {
  const uint8_t* queries = nullptr;  // [rows], each Int8Query::Bytes(head_dim)
  float* out = nullptr;              // [rows][head_dim]
  int64_t stride = 0;                // floats between rows of out
  int rows = 0;
  int head_dim = 0;          // at most kMaxInt8HeadDim
  float scale = 1;           // factor of the scores: head_dim^-0.5
  uint8_t* tiles = nullptr;  // all tiles of the head, consecutive
  int positions = 0;         // of all tiles; only the last tile may be partly filled
};

// A row of the kernel table. attend() computes one task on the calling thread. Thread-safe.
struct Int8AttentionKernel {
  KernelTarget target;
  void (*attend)(const Int8AttentionTask& task);
};

// Returns all kernels that were compiled, from the fastest to the slowest.
std::span<const Int8AttentionKernel> Int8AttentionKernels();

// Returns the fastest kernel of the current level (SetIsaCap()). Null if the level has no kernel:
// on x86 all need the instruction vpdpbusd. Thread-safe.
const Int8AttentionKernel* SelectInt8AttentionKernel();

// Computes a task as the reference of the tests, with the same quantized keys, values and queries,
// but with exact weights.
void AttendInt8Reference(const Int8AttentionTask& task);

}  // namespace edgegate
