#include "engine/ops/attention/attention.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/attention/attention.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <limits>

// Must be included after highway.h.
#include "engine/ops/attention/component_vecs-inl.h"
#include "engine/ops/attention/kv_tile-inl.h"
#include "engine/ops/isa/exp2-inl.h"
#include "engine/ops/isa/fixed_sum-inl.h"

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr int kQueries = 4;   // rows that share a load of keys or values
constexpr int kMaxRows = 16;  // rows that share a tile while it is in the first-level cache
constexpr float kNone = -std::numeric_limits<float>::infinity();
// Virtual lanes of the sum of a row's weights: the lanes of the widest vector.
constexpr int kWeightLanes = 16;
// Numbers of vectors of keys, and of vectors of components of values, whose sums fit the registers.
#if HWY_CAP_GE512
constexpr int kKeyVecs = 4, kValueVecs = 5;
#else
constexpr int kKeyVecs = 2, kValueVecs = 2;
#endif

HWY_INLINE VU LoadPairs(const uint16_t* p) {
  return hn::LoadU(U32(), reinterpret_cast<const uint32_t*>(p));
}

// A pair of components of a query, or a pair of weights. They are bf16 numbers.
struct Pair {
  float first, second;
};

// Multiplies a pair by a vector of pairs of keys (or of values). The products of bf16 numbers are
// exact in float. So a fused multiply-add and a separate addition give the same bits. The second
// product is added after the first sum is rounded.
HWY_INLINE VF MulAddPair(const Pair& a, VU pairs, VF acc) {
  const F32 f;
  const VF first = hn::BitCast(f, hn::ShiftLeft<16>(pairs));
  const VF second = hn::BitCast(f, hn::And(pairs, hn::Set(U32(), 0xffff0000u)));
  acc = hn::MulAdd(hn::Set(f, a.first), first, acc);
  return hn::MulAdd(hn::Set(f, a.second), second, acc);
}

// Rounds as FloatToBf16 does. Numbers below kLeastFactor become zero.
HWY_INLINE VF RoundToBf16(VF x) {
  const F32 f;
  const U32 u32;
  const VU bits = hn::BitCast(u32, x);
  const VU odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(u32, 1));
  const VU sum = hn::Add(bits, hn::Add(odd, hn::Set(u32, 0x7fff)));
  const VF rounded = hn::BitCast(f, hn::And(sum, hn::Set(u32, 0xffff0000u)));
  return hn::IfThenZeroElse(hn::Lt(hn::Abs(x), hn::Set(f, kLeastFactor)), rounded);
}

// Stores a vector's numbers, rounded, as half as many pairs. The first number has index `i` in the
// row.
HWY_INLINE void StorePairs(VF numbers, Pair* row, int i) {
  hn::StoreU(RoundToBf16(numbers), F32(), reinterpret_cast<float*>(row) + i);
}

// A set of rows that are computed together. The result of a row does not depend on the other rows.
struct Rows {
  explicit Rows(int head_dim)
      : q_stride((head_dim + kKvBlock - 1) / kKvBlock * kKvBlock / 2),
        sums_stride(head_dim + kKvBlock) {}

  Pair* q(int row) { return q_memory + row * q_stride; }
  const Pair* q(int row) const { return q_memory + row * q_stride; }
  float* sums(int row) { return sums_memory + row * sums_stride; }

  // The strides are small. So the rows stay in the first-level cache.
  const int q_stride, sums_stride;
  HWY_ALIGN Pair q_memory[kMaxRows * kMaxHeadDim / 2];
  HWY_ALIGN float sums_memory[kMaxRows * (kMaxHeadDim + kKvBlock)];
  float* out[kMaxRows];
  int positions[kMaxRows];  // that each row attends to
  float largest[kMaxRows];
  float total[kMaxRows];
  // State of the current tile.
  int seen[kMaxRows / kQueries];  // positions: the maximum of the rows of a group
  HWY_ALIGN float scores[kMaxRows][kTile];
  HWY_ALIGN Pair weights[kMaxRows][kTile / 2];
  HWY_ALIGN float factor[kMaxRows];  // of the sums of the tiles before
};

// Computes the scores of kQueries rows, from row `first` on, with the tile's first `width`
// positions. The scores of positions after a row's last position are -inf.
template <class Tile>
HWY_INLINE void Scores(const Tile& tile, int pairs, Rows& rows, int first, int position,
                       int width) {
  const F32 f;
  const int lanes = static_cast<int>(hn::Lanes(f));
  for (int at = 0; at < width; at += kKeyVecs * lanes) {
    const uint16_t* keys[kKeyVecs];
    VF acc[kQueries][kKeyVecs];
    for (int v = 0; v < kKeyVecs; ++v) {
      const int key = at + v * lanes;
      keys[v] = tile.block(key / kKvBlock) + 2 * (key % kKvBlock);
      for (int r = 0; r < kQueries; ++r) acc[r][v] = hn::Zero(f);
    }
    for (int d = 0; d < pairs; ++d) {
      VU pair[kKeyVecs];
      for (int v = 0; v < kKeyVecs; ++v) pair[v] = LoadPairs(keys[v] + d * 2 * kKvBlock);
      for (int r = 0; r < kQueries; ++r) {
        const auto q = rows.q(first + r)[d];
        for (int v = 0; v < kKeyVecs; ++v) acc[r][v] = MulAddPair(q, pair[v], acc[r][v]);
      }
    }
    for (int r = 0; r < kQueries; ++r) {
      for (int v = 0; v < kKeyVecs; ++v) {
        const int key = at + v * lanes;
        hn::StoreU(tile.ScaleScores(acc[r][v], key), f, rows.scores[first + r] + key);
      }
    }
  }
  for (int r = 0; r < kQueries; ++r) {
    for (int i = std::max(0, rows.positions[first + r] - position); i < width; ++i) {
      rows.scores[first + r][i] = kNone;
    }
  }
}

// Updates the row's largest score. Sets `factor` to the exponent of its change.
HWY_INLINE void Largest(int width, Rows& rows, int row) {
  const F32 f;
  const int lanes = static_cast<int>(hn::Lanes(f));
  const float before = rows.largest[row];
  VF top = hn::Set(f, before);
  for (int i = 0; i < width; i += lanes) top = hn::Max(top, hn::LoadU(f, rows.scores[row] + i));
  rows.largest[row] = hn::GetLane(hn::MaxOfLanes(f, top));
  rows.factor[row] = (before - rows.largest[row]) * kLog2E;
}

// Computes a row's weights from its scores.
template <class Tile>
HWY_INLINE void Softmax(const Tile& tile, int width, Rows& rows, int row) {
  const F32 f;
  const VF shift = hn::Set(f, rows.largest[row]), scale = hn::Set(f, kLog2E);
  using Sum = FixedSum<F32, kWeightLanes>;
  Sum sum;
  for (int first = 0; first < width; first += kWeightLanes) {
#pragma GCC unroll 4
    for (int v = 0; v < Sum::kVecs; ++v) {
      const int i = first + v * Sum::kLanes;
      const VF below = hn::Sub(hn::LoadU(f, rows.scores[row] + i), shift);
      const VF weight = Exp2(f, hn::Mul(below, scale));
      StorePairs(tile.ScaleWeights(weight, i), rows.weights[row], i);
      sum.Add(v, weight);
    }
  }
  rows.total[row] = rows.total[row] * rows.factor[row] + sum.Total();
}

// Adds the weighted values of a pair of positions. `mask` selects the bits of the pair that count.
template <int kVecs>
HWY_INLINE void AddPair(const uint16_t* values, uint32_t mask, const Pair (*weights)[kTile / 2],
                        int at, VF (&acc)[kQueries][kVecs]) {
  const int lanes = static_cast<int>(hn::Lanes(F32()));
  VU pair[kVecs];
  for (int v = 0; v < kVecs; ++v) {
    pair[v] = LoadPairs(values + 2 * v * lanes);
    if (mask != ~0u) pair[v] = hn::And(pair[v], hn::Set(U32(), mask));
  }
  for (int r = 0; r < kQueries; ++r) {
    const auto weight = weights[r][at];
    for (int v = 0; v < kVecs; ++v) acc[r][v] = MulAddPair(weight, pair[v], acc[r][v]);
  }
}

// Computes sums[r] = sums[r] * factor[r] + sum over the tile's `count` positions of weight * value,
// for kVecs vectors of components from component `d` on.
template <int kVecs, class Tile>
HWY_INLINE void Accumulate(const Tile& tile, int head_dim, Rows& rows, int first, int count,
                           int d) {
  const F32 f;
  const int lanes = static_cast<int>(hn::Lanes(f));
  VF acc[kQueries][kVecs];
  for (int r = 0; r < kQueries; ++r) {
    for (int v = 0; v < kVecs; ++v) {
      const VF before = hn::LoadU(f, rows.sums(first + r) + d + v * lanes);
      acc[r][v] = hn::Mul(before, hn::Set(f, rows.factor[first + r]));
    }
  }
  const auto* weights = rows.weights + first;
  for (int block = 0; block < count; block += kKvBlock) {
    const uint16_t* values = tile.block(block / kKvBlock) + 2 * d;
    const int end = std::min(kKvBlock, count - block);
    int i = 0;
    for (; i + 2 <= end; i += 2, values += 2 * head_dim) {
      AddPair<kVecs>(values, ~0u, weights, (block + i) / 2, acc);
    }
    // The second half of the last pair was never written. The mask removes it.
    if (i < end) AddPair<kVecs>(values, 0xffffu, weights, (block + i) / 2, acc);
  }
  for (int r = 0; r < kQueries; ++r) {
    for (int v = 0; v < kVecs; ++v) {
      hn::StoreU(acc[r][v], f, rows.sums(first + r) + d + v * lanes);
    }
  }
}

// Computes the weights of the tile, which holds keys, in the first `count` rows. Each step is done
// for all rows before the next step, because the steps of one row depend on each other and the
// steps of different rows do not.
template <class Tile>
HWY_NOINLINE void WeighTile(const Tile& tile, int pairs, Rows& rows, int count, int position) {
  const F32 f;
  const int lanes = static_cast<int>(hn::Lanes(f)), step = std::max(kKeyVecs * lanes, kWeightLanes);
  const auto width = [&](int row) { return (rows.seen[row / kQueries] + step - 1) / step * step; };
  for (int r = 0; r < count; r += kQueries) {
    if (width(r) > 0) Scores(tile, pairs, rows, r, position, width(r));
  }
  for (int r = 0; r < count; ++r) Largest(width(r), rows, r);
  for (int r = 0; r < kMaxRows; r += lanes) {
    hn::Store(Exp2(f, hn::Load(f, rows.factor + r)), f, rows.factor + r);
  }
  for (int r = 0; r < count; ++r) {
    if (width(r) > 0) Softmax(tile, width(r), rows, r);
  }
}

// Adds the weighted values of the tile in the first `count` rows.
template <class Tile>
HWY_NOINLINE void AddTile(const Tile& tile, int head_dim, Rows& rows, int count) {
  const int lanes = static_cast<int>(hn::Lanes(F32()));
  for (int r = 0; r < count; r += kQueries) {
    const int seen = rows.seen[r / kQueries];
    if (seen <= 0) continue;
    // The last vector may read past the row. Those sums are not used.
    ForComponents<kValueVecs>(head_dim, lanes, [&](auto vecs, int d) {
      Accumulate<decltype(vecs)::value>(tile, head_dim, rows, r, seen, d);
    });
  }
}

// Stores a query as pairs.
HWY_INLINE void StoreQuery(const float* q, int head_dim, Pair* pairs) {
  const F32 f;
  const int lanes = static_cast<int>(hn::Lanes(f));
  int d = 0;
  for (; d + lanes <= head_dim; d += lanes) StorePairs(hn::LoadU(f, q + d), pairs, d);
  if (d == head_dim) return;
  HWY_ALIGN float last[kKvBlock] = {};
  std::copy_n(q + d, head_dim - d, last);
  StorePairs(hn::Load(f, last), pairs, d);
}

// Computes up to kMaxRows rows of the task, from row `row` on.
template <class Tile>
void AttendRows(const KvLayer& kv, const AttentionTask& task, int row, int exist) {
  Rows rows(kv.head_dim);
  // Rows that do not exist repeat the last one. Their results are not stored.
  const int count = (exist + kQueries - 1) / kQueries * kQueries;
  int most_seen[kMaxRows / kQueries] = {}, all_positions = 0;
  for (int r = 0; r < count; ++r) {
    const int index = row + std::min(r, exist - 1);
    const int token = index / task.group;
    const int64_t head = int64_t{index % task.group} * kv.head_dim;
    StoreQuery(task.q + token * task.q_stride + head, kv.head_dim, rows.q(r));
    rows.out[r] = task.out + token * task.out_stride + head;
    rows.positions[r] = task.visible > 0 ? task.visible : task.first_position + token + 1;
    std::fill_n(rows.sums(r), rows.sums_stride, 0.0f);
    rows.largest[r] = std::numeric_limits<float>::lowest();
    rows.total[r] = 0;
    most_seen[r / kQueries] = std::max(most_seen[r / kQueries], rows.positions[r]);
    all_positions = std::max(all_positions, rows.positions[r]);
  }
  std::fill(rows.factor + count, rows.factor + kMaxRows, 0.0f);
  Tile tile;
  for (int position = 0; position < all_positions; position += kTile) {
    for (int r = 0; r < count; r += kQueries) {
      rows.seen[r / kQueries] = std::clamp(most_seen[r / kQueries] - position, 0, kTile);
    }
    // All rows use the keys before any row uses the values. The keys fit the first-level cache, and
    // so do the values, but not both.
    tile.ReadKeys(kv, task, position, all_positions - position);
    WeighTile(tile, kv.key_pairs(), rows, count, position);
    tile.ReadValues(kv, task, position, all_positions - position);
    AddTile(tile, kv.head_dim, rows, count);
  }
  for (int r = 0; r < exist; ++r) {
    const float inverse = 1.0f / rows.total[r];
    for (int d = 0; d < kv.head_dim; ++d) rows.out[r][d] = rows.sums(r)[d] * inverse;
  }
}

template <class Tile>
void AttendTask(const KvLayer& kv, const AttentionTask& task) {
  const int total = task.tokens * task.group;
  for (int row = 0; row < total; row += kMaxRows) {
    AttendRows<Tile>(kv, task, row, std::min(kMaxRows, total - row));
  }
}

void AttendStored(const KvLayer& kv, const AttentionTask& task) {
  kv.type == KvType::kInt8 ? AttendTask<Int8Tile>(kv, task) : AttendTask<Bf16Tile>(kv, task);
}

}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgegate {
namespace {

using enum CpuFeature;
constexpr auto kX86 = Architecture::kX86;

constexpr AttentionKernel kKernels[] = {
#if HWY_TARGETS & HWY_AVX3
    {{"avx512", kX86, {kAvx512}, Activations::kBf16}, N_AVX3::AttendStored},
#endif
#if HWY_TARGETS & HWY_AVX2
    {{"avx2", kX86, {kAvx2}, Activations::kBf16}, N_AVX2::AttendStored},
#endif
#if HWY_TARGETS & HWY_SSE4
    {{"sse4", kX86, {kSse4, kSse42}, Activations::kBf16}, N_SSE4::AttendStored},
#endif
    {{"scalar", Architecture::kAny, {}, Activations::kBf16}, HWY_NAMESPACE::AttendStored},
};

}  // namespace

std::span<const AttentionKernel> AttentionKernels() { return kKernels; }

const AttentionKernel& SelectAttentionKernel() { return *SelectKernel(AttentionKernels()); }

void Attend(const KvLayer& kv, const AttentionTask& task) {
  SelectAttentionKernel().attend(kv, task);
}

}  // namespace edgegate
#endif
