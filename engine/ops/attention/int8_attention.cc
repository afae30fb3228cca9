// The kernels for vectors are instances of one template. All kernels give the same bits: sums of
// products are exact integers, and each operation on floats is rounded.

#include "engine/ops/attention/int8_attention.h"

#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/attention/int8_attention.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <limits>

// Must be included after highway.h.
#include "engine/ops/attention/byte_ops-inl.h"
#include "engine/ops/attention/component_vecs-inl.h"
#include "engine/ops/isa/exp2-inl.h"

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {

#if EDGEGATE_INT8_ATTENTION

constexpr int kTile = kAttentionTile;
constexpr int kQueries = 4;   // rows that share a load of keys or values
constexpr int kMaxRows = 16;  // rows that share a tile while it is in the first-level cache
constexpr int kMaxDim = kMaxInt8HeadDim;
// Numbers of vectors of keys, and of vectors of components of values, whose sums fit the registers.
#if HWY_CAP_GE512 || HWY_ARCH_ARM_A64
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

// A set of rows that are computed together. The result of a row does not depend on the other rows.
struct Rows {
  const uint8_t* q[kMaxRows];
  HWY_ALIGN float sums[kMaxRows][kMaxDim];
  int32_t start[kMaxRows];  // initial sum of a score; cancels the keys' offset
  float to_log2[kMaxRows];  // factor from (sum times key's scale) to an exponent of two
  float largest[kMaxRows];  // largest score so far
  float total[kMaxRows];    // sum of the weights
};

// Computes the scores of kQueries rows, from row `first` on, with the tile. The factor of each row
// is not applied.
template <class D>
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
      for (int v = 0; v < kKeyVecs; ++v) key[v] = D::Operand(LoadQuads(keys + v * Lanes() * 4));
      for (int r = 0; r < kQueries; ++r) {
        const V32 q = BroadcastQuad(rows.q[first + r] + quad * 4);
        for (int v = 0; v < kKeyVecs; ++v) acc[r][v] = D::Dot(acc[r][v], key[v], q);
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

constexpr float kUnits = kExponentUnits, kShift = kExponentShift;

// Returns 255 * 2^x for x <= 0, rounded, with a relative error of 0.2 %. `exponents` has the form
// of int8_attention.h.
HWY_INLINE V16 Exp2Bytes(V16 exponents) {
  const I16 i16;
  const U16 u16;
  const auto at = hn::BitCast(u16, exponents);
  const auto part = hn::ShiftLeft<5>(at);  // of 2^16
  // Computes 2^16 * 255 / 256 * 2^-part with the quadratic polynomial of the least maximal relative
  // error.
  auto p = hn::Sub(hn::Set(u16, 43477), hn::MulHigh(part, hn::Set(u16, 11006)));
  p = hn::Sub(hn::Set(u16, 65167), hn::MulHigh(part, p));
  // kShift makes the result twice the byte. The last bit is rounded.
  p = hn::Shr(p, hn::ShiftRight<11>(at));
  return hn::BitCast(i16, hn::AverageRound(p, hn::Zero(u16)));
}

// Returns the largest of a row's first `count` scores of the tile. Sets the other scores to the
// lowest float.
HWY_INLINE float Largest(float* scores, int count) {
  const F32 f;
  if (count < kTile) {
    std::fill(scores + count, scores + kTile, std::numeric_limits<float>::lowest());
  }
  VF top = hn::LoadU(f, scores);
  for (int i = Lanes(); i < kTile; i += Lanes()) top = hn::Max(top, hn::LoadU(f, scores + i));
  return hn::GetLane(hn::MaxOfLanes(f, top));
}

// Computes a row's weights from its scores. The score `largest` has the weight 255. Returns the sum
// of the weights.
template <class D>
HWY_INLINE int32_t Softmax(const float* scores, float to_log2, float largest, uint8_t* weights) {
  const F32 f;
  const I32 i32;
  const VF top = hn::Set(f, largest), scale = hn::Set(f, to_log2 * kUnits);
  const V32 ones = hn::Set(i32, 0x01010101);
  V32 sum = hn::Zero(i32);
  for (int i = 0; i < kTile; i += 64) {
    for (int lane = 0; lane < 16; lane += Lanes()) {
      const auto exponents = [&](int part) HWY_ATTR {
        const VF score = hn::LoadU(f, scores + i + part * 16 + lane);
        return Nearest(hn::Add(hn::Mul(hn::Sub(top, score), scale), hn::Set(f, kShift)));
      };
      const auto bytes = [&](int part) HWY_ATTR {
        return Exp2Bytes(hn::ReorderDemote2To(I16(), exponents(part), exponents(part + 1)));
      };
      // Each 128 bits hold four weights of each part. This is the order of Int8KvTile's values.
      const V32 quads = D::Operand(hn::BitCast(i32, Bytes(bytes(0), bytes(2))));
      hn::StoreU(quads, i32, reinterpret_cast<int32_t*>(weights + i + 4 * lane));
      sum = D::Dot(sum, quads, ones);
    }
  }
  // Each of the kTile weights is smaller by kOffset.
  return hn::GetLane(hn::SumOfLanes(i32, sum)) + D::kOffset * kTile;
}

// The working memory of a tile.
struct TileWork {
  HWY_ALIGN float scores[kMaxRows][kTile];
  HWY_ALIGN uint8_t weights[kMaxRows][kTile];  // operands in the order of Int8KvTile's quads
  HWY_ALIGN int32_t missing[kMaxDim];          // results of Missing()
  float largest[kMaxRows];                     // largest score of the tile
  HWY_ALIGN float before[kMaxRows];            // factor of the sums of earlier tiles
  HWY_ALIGN float share[kMaxRows];             // factor of this tile's sums
};

// Replaces kMaxRows numbers x <= 0 by 2^x.
HWY_INLINE void Exp2All(float* x) {
  const F32 f;
  for (int i = 0; i < kMaxRows; i += Lanes()) hn::Store(Exp2(f, hn::Load(f, x + i)), f, x + i);
}

// Computes the softmax of the first `count` rows. Each step is done for all rows before the next
// step, because the steps of one row depend on each other and the steps of different rows do not.
template <class D>
HWY_INLINE void SoftmaxAll(int exist, int count, Rows& rows, TileWork& work) {
  for (int r = 0; r < count; ++r) {
    work.largest[r] = Largest(work.scores[r], exist);
    const float now = std::max(rows.largest[r], work.largest[r]);
    work.before[r] = (rows.largest[r] - now) * rows.to_log2[r];
    work.share[r] = (work.largest[r] - now) * rows.to_log2[r];
    rows.largest[r] = now;
  }
  Exp2All(work.before);
  Exp2All(work.share);
  for (int r = 0; r < count; ++r) {
    const int32_t sum =
        Softmax<D>(work.scores[r], rows.to_log2[r], work.largest[r], work.weights[r]);
    rows.total[r] = rows.total[r] * work.before[r] + static_cast<float>(sum) * work.share[r];
  }
}

// Computes what the products with weights lack if they are smaller by kOffset: kOffset times the
// sums of the tile's values.
template <class D>
HWY_INLINE void Missing(const Int8KvTile& tile, int padded, int32_t* missing) {
  const V32 ones = hn::Set(I32(), 0x01010101);
  for (int c = 0; c < padded; c += Lanes()) {
    V32 sum = hn::Zero(I32());
    if (D::kOffset != 0) {
      const int8_t* values = tile.values + c * 4;
      for (int at = 0; at < kTile; at += 4, values += padded * 4) {
        sum = D::Dot(sum, LoadQuads(values), ones);
      }
      sum = hn::Mul(sum, hn::Set(I32(), D::kOffset));
    }
    hn::Store(sum, I32(), missing + c);
  }
}

// Computes sums[r] = sums[r] * before[r] + share[r] * (sum over the tile of weight * value), for
// kVecs vectors of components from component `c` on, and for kQueries rows from row `first` on.
template <class D, int kVecs>
HWY_INLINE void Accumulate(const Int8KvTile& tile, int padded, Rows& rows, int first, int c,
                           const TileWork& work) {
  const F32 f;
  V32 acc[kQueries][kVecs];
  for (int r = 0; r < kQueries; ++r) {
    for (int v = 0; v < kVecs; ++v) {
      acc[r][v] = D::kOffset == 0 ? hn::Zero(I32()) : LoadQuads(work.missing + c + v * Lanes());
    }
  }
  const int8_t* values = tile.values + c * 4;
  for (int at = 0; at < kTile; at += 4, values += padded * 4) {
    V32 value[kVecs];
    for (int v = 0; v < kVecs; ++v) value[v] = LoadQuads(values + v * Lanes() * 4);
    for (int r = 0; r < kQueries; ++r) {
      const V32 weight = BroadcastQuad(work.weights[first + r] + at);
      for (int v = 0; v < kVecs; ++v) acc[r][v] = D::Dot(acc[r][v], weight, value[v]);
    }
  }
  for (int v = 0; v < kVecs; ++v) {
    const int at = c + v * Lanes();
    const VF scale = hn::LoadU(f, tile.value_scales + at);
    for (int r = 0; r < kQueries; ++r) {
      float* sums = rows.sums[first + r] + at;
      const VF before = hn::Mul(hn::LoadU(f, sums), hn::Set(f, work.before[first + r]));
      const VF factor = hn::Mul(scale, hn::Set(f, work.share[first + r]));
      hn::StoreU(hn::Add(hn::Mul(hn::ConvertTo(f, acc[r][v]), factor), before), f, sums);
    }
  }
}

// Computes one tile, of which the first `exist` positions exist, for `count` rows, a multiple of
// kQueries.
template <class D>
HWY_NOINLINE void AttendTile(const Int8KvTile& tile, int dim, int exist, Rows& rows, int count) {
  TileWork work;
  const int quads = Int8KvTile::quads(dim), padded = Int8KvTile::padded_dim(dim);
  for (int r = 0; r < count; r += kQueries) Scores<D>(tile, rows, r, quads, work.scores + r);
  SoftmaxAll<D>(exist, count, rows, work);
  if (D::kOffset != 0) Missing<D>(tile, padded, work.missing);
  for (int r = 0; r < count; r += kQueries) {
    ForComponents<kValueVecs>(dim, Lanes(), [&](auto vecs, int c) {
      Accumulate<D, decltype(vecs)::value>(tile, padded, rows, r, c, work);
    });
  }
}

// Computes up to kMaxRows rows of the task, from row `row` on.
template <class D>
void AttendRows(const Int8AttentionTask& task, int row, int count) {
  const F32 f;
  Rows rows;
  const int dim = task.head_dim;
  const int groups = (count + kQueries - 1) / kQueries;
  for (int r = 0; r < groups * kQueries; ++r) {
    // Rows that do not exist repeat the last one. Their results are not stored.
    const uint8_t* at = task.queries + (row + std::min(r, count - 1)) * Int8Query::Bytes(dim);
    Int8Query query;
    std::memcpy(&query, at, sizeof(query));
    rows.q[r] = at + sizeof(query);
    // The factor must not be zero, because the score of a missing position must give the weight
    // zero.
    rows.to_log2[r] = std::max(query.scale * task.scale * kLog2E, 1e-30f);
    rows.start[r] = (D::kOffset - Int8KvTile::kKeyOffset) * query.sum;
    std::fill_n(rows.sums[r], Int8KvTile::padded_dim(dim), 0.0f);
    rows.largest[r] = std::numeric_limits<float>::lowest();
    rows.total[r] = 0;
  }
  uint8_t* memory = task.tiles;
  for (int at = 0; at < task.positions; at += kTile, memory += Int8KvTile::Bytes(dim)) {
    const Int8KvTile tile = Int8KvTile::At(memory, dim);
    AttendTile<D>(tile, dim, std::min(kTile, task.positions - at), rows, groups * kQueries);
  }
  for (int r = 0; r < count; ++r) {
    const float inverse = 1.0f / rows.total[r];
    float* out = task.out + (row + r) * task.stride;
    int c = 0;
    for (; c + Lanes() <= dim; c += Lanes()) {
      hn::StoreU(hn::Mul(hn::LoadU(f, rows.sums[r] + c), hn::Set(f, inverse)), f, out + c);
    }
    for (; c < dim; ++c) out[c] = rows.sums[r][c] * inverse;
  }
}

template <class D>
void AttendImpl(const Int8AttentionTask& task) {
  for (int row = 0; row < task.rows; row += kMaxRows) {
    AttendRows<D>(task, row, std::min(kMaxRows, task.rows - row));
  }
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgegate {
namespace {

using enum CpuFeature;
[[maybe_unused]] constexpr auto kX86 = Architecture::kX86;

constexpr Int8AttentionKernel kKernels[] = {
#if HWY_TARGETS & HWY_AVX3
    {{"avx512-vnni", kX86, {kAvx512, kAvx512Vnni}, Activations::kU8},
     N_AVX3::AttendImpl<N_AVX3::UnsignedDot>},
    {{"avx512-pairs", kX86, {kAvx512}, Activations::kU8}, N_AVX3::AttendImpl<N_AVX3::PairsDot>},
#endif
#if HWY_TARGETS & HWY_AVX2
    {{"avx-vnni", kX86, {kAvx2, kAvxVnni}, Activations::kU8},
     N_AVX2::AttendImpl<N_AVX2::UnsignedDot>},
    {{"avx2-pairs", kX86, {kAvx2}, Activations::kU8}, N_AVX2::AttendImpl<N_AVX2::PairsDot>},
#endif
#if HWY_TARGETS & HWY_SSE4
    {{"sse4-pairs", kX86, {kSse4, kSse42}, Activations::kU8}, N_SSE4::AttendImpl<N_SSE4::PairsDot>},
#endif
#if HWY_ARCH_ARM_A64
    {{"i8mm", Architecture::kArm, {kI8mm}, Activations::kU8},
     HWY_NAMESPACE::AttendImpl<HWY_NAMESPACE::UnsignedDot>},
    {{"dotprod", Architecture::kArm, {kDotprod}, Activations::kU8},
     HWY_NAMESPACE::AttendImpl<HWY_NAMESPACE::SignedDot>},
    {{"neon", Architecture::kArm, {kNeon}, Activations::kU8},
     HWY_NAMESPACE::AttendImpl<HWY_NAMESPACE::WidenedDot>},
#endif
    {{"scalar", Architecture::kAny, {}, Activations::kU8}, AttendInt8Scalar},
};

}  // namespace

std::span<const Int8AttentionKernel> Int8AttentionKernels() { return kKernels; }

const Int8AttentionKernel& SelectInt8AttentionKernel() {
  return *SelectKernel(Int8AttentionKernels());
}

}  // namespace edgegate
#endif
