// AVX-512-VNNI and AVX-VNNI variants from one template; see int8_attention.h.

#include "engine/ops/int8_attention.h"

#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/int8_attention.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cassert>
#include <limits>

// After highway.h.
#include "engine/ops/component_vecs-inl.h"
#include "engine/ops/exp2-inl.h"
#include "engine/ops/signed_row-inl.h"
#include "engine/ops/vnni-inl.h"

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_ARCH_X86 && HWY_CAP_GE256

using F32 = hn::CappedTag<float, 16>;
using I32 = hn::RebindToSigned<F32>;
using VF = hn::Vec<F32>;
using V32 = hn::Vec<I32>;

constexpr int kTile = kAttentionTile;
constexpr int kQueries = 4;    // rows that share a load of keys or values
constexpr int kMostRows = 16;  // rows that share a tile while it is in the first-level cache
constexpr int kMostDim = kMostInt8HeadDim;
// Vectors of keys, and of values' components, that the registers hold the sums of.
#if HWY_CAP_GE512
constexpr int kKeyVecs = 4, kValueVecs = 5;
#else
constexpr int kKeyVecs = 2, kValueVecs = 2;
#endif

HWY_INLINE int Lanes() { return static_cast<int>(hn::Lanes(F32())); }

HWY_INLINE V32 LoadQuads(const void* p) { return hn::LoadU(I32(), static_cast<const int32_t*>(p)); }

HWY_INLINE V32 BroadcastQuad(const void* p) {
  int32_t quad;
  std::memcpy(&quad, p, 4);
  return hn::Set(I32(), quad);
}

// Rows that are computed together: what becomes of a row is the same in any company.
struct Rows {
  HWY_ALIGN uint8_t q[kMostRows][kMostDim + 16];
  HWY_ALIGN float sums[kMostRows][kMostDim];
  int32_t start[kMostRows];              // of each score's sum: the keys' offset taken off
  float to_log2[kMostRows];              // a score's sum times its key's scale to a power of two
  float largest[kMostRows];              // score so far
  HWY_ALIGN float total[kMostRows][16];  // of the weights, by lanes
};

// Scores of kQueries rows from `first` on with the tile, to a factor of the row.
HWY_INLINE void Scores(const Int8KvTile& tile, const Rows& rows, int first, int quads,
                       float (*scores)[kTile]) {
  const F32 f;
  for (int at = 0; at < kTile; at += kKeyVecs * Lanes()) {
    V32 acc[kQueries][kKeyVecs];
    for (int r = 0; r < kQueries; ++r) {
      for (int v = 0; v < kKeyVecs; ++v) acc[r][v] = hn::Set(I32(), rows.start[first + r]);
    }
    const uint8_t* keys = tile.keys + at * 4;
    for (int quad = 0; quad < quads; ++quad, keys += kTile * 4) {
      V32 key[kKeyVecs];
      for (int v = 0; v < kKeyVecs; ++v) key[v] = LoadQuads(keys + v * Lanes() * 4);
      for (int r = 0; r < kQueries; ++r) {
        const V32 q = BroadcastQuad(rows.q[first + r] + quad * 4);
        for (int v = 0; v < kKeyVecs; ++v) acc[r][v] = DotVnni(acc[r][v], key[v], q);
      }
    }
    for (int v = 0; v < kKeyVecs; ++v) {
      const VF scale = hn::LoadU(f, tile.key_scales + at + v * Lanes());
      for (int r = 0; r < kQueries; ++r) {
        hn::StoreU(hn::Mul(hn::ConvertTo(f, acc[r][v]), scale), f, scores[r] + at + v * Lanes());
      }
    }
  }
}

// Rounds to whole numbers by addition: what is added leaves no bits for a fraction.
constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23
constexpr int32_t kRounderBits = 0x4b400000;

// 255 * 2^x for x <= 0, to a ten thousandth of it, rounded: in the lowest byte, below
// kRounderBits.
HWY_INLINE V32 Exp2Byte(VF x) {
  const F32 f;
  const I32 i32;
  const VF rounder = hn::Set(f, kRounder);
  const VF inside = hn::Max(x, hn::Set(f, -20.0f));  // below, 255 * 2^x is nearer to zero anyway
  const VF whole = hn::Add(inside, rounder);
  const VF part = hn::Sub(inside, hn::Sub(whole, rounder));
  // The cubic whose largest relative error is the least.
  VF p = hn::Set(f, 255.0f * 5.517167e-2f);
  p = hn::MulAdd(p, part, hn::Set(f, 255.0f * 2.4261113e-1f));
  p = hn::MulAdd(p, part, hn::Set(f, 255.0f * 6.9326099e-1f));
  p = hn::MulAdd(p, part, hn::Set(f, 255.0f * 9.9992807e-1f));
  const V32 power = hn::ShiftLeft<23>(hn::BitCast(i32, whole));
  const VF scaled = hn::BitCast(f, hn::Add(hn::BitCast(i32, p), power));
  return hn::BitCast(i32, hn::Add(scaled, rounder));
}

// A row's largest score of the tile, of which `count` exist.
HWY_INLINE float Largest(float* scores, int count) {
  const F32 f;
  std::fill(scores + count, scores + kTile, -std::numeric_limits<float>::infinity());
  VF top = hn::LoadU(f, scores);
  for (int i = Lanes(); i < kTile; i += Lanes()) top = hn::Max(top, hn::LoadU(f, scores + i));
  return hn::GetLane(hn::MaxOfLanes(f, top));
}

// Turns a row's scores into weights, of which `largest` gets 255, and adds them to `total`: what is
// there before counts `before`, the tile's own `share`.
HWY_INLINE void Softmax(const float* scores, float to_log2, float largest, float before,
                        float share, float* total, uint8_t* weights) {
  const F32 f;
  const I32 i32;
  const VF scale = hn::Set(f, to_log2), shift = hn::Set(f, largest * to_log2);
  const V32 rest = hn::Set(i32, kRounderBits + (kRounderBits << 8));
  const V32 ones = hn::Set(i32, 0x01010101);
  V32 sum = hn::Zero(i32);
  for (int i = 0; i < kTile; i += 64) {
    for (int lane = 0; lane < 16; lane += Lanes()) {
      const auto byte = [&](int part) HWY_ATTR {
        const VF score = hn::LoadU(f, scores + i + part * 16 + lane);
        return Exp2Byte(hn::MulSub(score, scale, shift));
      };
      // What stands above the bytes is the same for all, and taken off at once.
      V32 quads = hn::Add(byte(0), hn::ShiftLeft<8>(byte(1)));
      quads = hn::Add(quads, hn::ShiftLeft<16>(byte(2)));
      quads = hn::Sub(hn::Add(quads, hn::ShiftLeft<24>(byte(3))), rest);
      hn::StoreU(quads, i32, reinterpret_cast<int32_t*>(weights + i + 4 * lane));
      sum = DotVnni(sum, quads, ones);
    }
  }
  const VF old = hn::Mul(hn::LoadU(f, total), hn::Set(f, before));
  hn::StoreU(hn::MulAdd(hn::ConvertTo(f, sum), hn::Set(f, share), old), f, total);
}

// 2^x of kQueries * 2 numbers <= 0.
HWY_INLINE void Exp2All(float* x) {
  const hn::CappedTag<float, kQueries * 2> d;
  for (int i = 0; i < kQueries * 2; i += static_cast<int>(hn::Lanes(d))) {
    hn::StoreU(Exp2(d, hn::LoadU(d, x + i)), d, x + i);
  }
}

// The softmax of kQueries rows of a tile: `weights` (in the order of Int8KvTile's quads), and what
// the sums so far and those of the tile count for, in halves of `factors`.
HWY_INLINE void SoftmaxAll(float (*scores)[kTile], int count, Rows& rows, int first,
                           uint8_t (*weights)[kTile], float* factors) {
  float largest[kQueries];
  for (int r = 0; r < kQueries; ++r) {
    largest[r] = Largest(scores[r], count);
    float& so_far = rows.largest[first + r];
    const float now = std::max(so_far, largest[r]);
    factors[r] = (so_far - now) * rows.to_log2[first + r];
    factors[kQueries + r] = (largest[r] - now) * rows.to_log2[first + r];
    so_far = now;
  }
  Exp2All(factors);
  for (int r = 0; r < kQueries; ++r) {
    Softmax(scores[r], rows.to_log2[first + r], largest[r], factors[r], factors[kQueries + r],
            rows.total[first + r], weights[r]);
  }
}

// sums[r] = sums[r] * factors[r] + factors[kQueries + r] * (sum over the tile of weight * value),
// for kVecs vectors of components from `c` on.
template <int kVecs>
HWY_INLINE void Accumulate(const Int8KvTile& tile, int padded, Rows& rows, int first, int c,
                           const uint8_t (*weights)[kTile], const float* factors) {
  const F32 f;
  V32 acc[kQueries][kVecs];
  for (int r = 0; r < kQueries; ++r) {
    for (int v = 0; v < kVecs; ++v) acc[r][v] = hn::Zero(I32());
  }
  const int8_t* values = tile.values + c * 4;
  for (int at = 0; at < kTile; at += 4, values += padded * 4) {
    V32 value[kVecs];
    for (int v = 0; v < kVecs; ++v) value[v] = LoadQuads(values + v * Lanes() * 4);
    for (int r = 0; r < kQueries; ++r) {
      const V32 weight = BroadcastQuad(weights[r] + at);
      for (int v = 0; v < kVecs; ++v) acc[r][v] = DotVnni(acc[r][v], weight, value[v]);
    }
  }
  for (int v = 0; v < kVecs; ++v) {
    const int at = c + v * Lanes();
    const VF scale = hn::LoadU(f, tile.value_scales + at);
    for (int r = 0; r < kQueries; ++r) {
      float* sums = rows.sums[first + r] + at;
      const VF before = hn::Mul(hn::LoadU(f, sums), hn::Set(f, factors[r]));
      const VF factor = hn::Mul(scale, hn::Set(f, factors[kQueries + r]));
      hn::StoreU(hn::MulAdd(hn::ConvertTo(f, acc[r][v]), factor, before), f, sums);
    }
  }
}

// One tile, of which `count` positions exist, for kQueries rows.
HWY_NOINLINE void AttendTile(const Int8KvTile& tile, int dim, int count, Rows& rows, int first) {
  HWY_ALIGN float scores[kQueries][kTile];
  HWY_ALIGN uint8_t weights[kQueries][kTile];
  HWY_ALIGN float factors[2 * kQueries];
  Scores(tile, rows, first, Int8KvTile::quads(dim), scores);
  SoftmaxAll(scores, count, rows, first, weights, factors);
  const int padded = Int8KvTile::padded_dim(dim);
  ForComponents<kValueVecs>(dim, Lanes(), [&](auto vecs, int c) {
    Accumulate<decltype(vecs)::value>(tile, padded, rows, first, c, weights, factors);
  });
}

// Up to kMostRows rows of the task, from `row` on.
void AttendRows(const Int8AttentionTask& task, int row, int count) {
  const F32 f;
  Rows rows;
  const int dim = task.head_dim, quads = Int8KvTile::quads(dim);
  const int groups = (count + kQueries - 1) / kQueries;
  for (int r = 0; r < groups * kQueries; ++r) {
    // Missing rows repeat the last one; their result is not stored.
    const float* q = task.q + (row + std::min(r, count - 1)) * task.stride;
    // Never zero, as a missing position's score is minus infinity.
    rows.to_log2[r] = std::max(QuantizeSigned(q, dim, 0, rows.q[r]) * task.scale * kLog2E, 1e-30f);
    int32_t sum = 0;
    for (int c = 0; c < 4 * quads; ++c) sum += static_cast<int8_t>(rows.q[r][c]);
    rows.start[r] = -Int8KvTile::kKeyOffset * sum;
    std::fill_n(rows.sums[r], Int8KvTile::padded_dim(dim), 0.0f);
    rows.largest[r] = std::numeric_limits<float>::lowest();
    std::fill_n(rows.total[r], 16, 0.0f);
  }
  uint8_t* memory = task.tiles;
  for (int at = 0; at < task.positions; at += kTile, memory += Int8KvTile::Bytes(dim)) {
    const Int8KvTile tile = Int8KvTile::At(memory, dim);
    const int exist = std::min(kTile, task.positions - at);
    for (int g = 0; g < groups; ++g) AttendTile(tile, dim, exist, rows, g * kQueries);
  }
  for (int r = 0; r < count; ++r) {
    VF total = hn::LoadU(f, rows.total[r]);
    for (int i = Lanes(); i < 16; i += Lanes()) {
      total = hn::Add(total, hn::LoadU(f, rows.total[r] + i));
    }
    const float inverse = 1.0f / hn::GetLane(hn::SumOfLanes(f, total));
    float* out = task.out + (row + r) * task.stride;
    for (int c = 0; c < dim; ++c) out[c] = rows.sums[r][c] * inverse;
  }
}

void AttendImpl(const Int8AttentionTask& task) {
  for (int row = 0; row < task.rows; row += kMostRows) {
    AttendRows(task, row, std::min(kMostRows, task.rows - row));
  }
}

#else  // no vpdpbusd

void AttendImpl(const Int8AttentionTask&) { assert(false); }

#endif

}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgegate {

HWY_EXPORT(AttendImpl);

void AttendInt8(const Int8AttentionTask& task) { HWY_DYNAMIC_DISPATCH(AttendImpl)(task); }

}  // namespace edgegate
#endif
