// Quantizes queries, keys and values to the layout that int8_attention.cc reads.

#include <cstring>

#include "engine/ops/attention/int8_attention.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/attention/int8_attention_store.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

// Must be included after highway.h.
#include "engine/ops/attention/signed_row-inl.h"

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::CappedTag<float, 16>;
using I32 = hn::RebindToSigned<F32>;
using VF = hn::Vec<F32>;
using V32 = hn::Vec<I32>;

constexpr int kTile = kAttentionTile;

HWY_INLINE int Lanes() { return static_cast<int>(hn::Lanes(F32())); }

void StoreQueryImpl(const float* query, int dim, uint8_t* out) {
  const SignedRow row = QuantizeSigned(query, dim, 0, out + sizeof(Int8Query));
  const Int8Query head{row.scale, row.sum};
  std::memcpy(out, &head, sizeof(head));
}

void StoreKeys(const Int8KvTile& tile, int dim, int count, const float* keys, int64_t stride) {
  const int quads = Int8KvTile::quads(dim);
  for (int position = 0; position < kTile; ++position) {
    HWY_ALIGN uint8_t row[kMaxInt8HeadDim + 16] = {};
    tile.key_scales[position] =
        position < count
            ? QuantizeSigned(keys + position * stride, dim, Int8KvTile::kKeyOffset, row).scale
            : 0.0f;
    for (int quad = 0; quad < quads; ++quad) {
      std::memcpy(tile.keys + (int64_t{quad} * kTile + position) * 4, row + quad * 4, 4);
    }
  }
}

// A copy of a tile's values, [kTile][padded_dim], with zeros in the padding. The rows of the source
// are a page apart, so that it is faster to read them once.
struct Columns {
  HWY_ALIGN float values[kTile * kMaxInt8HeadDim];
  HWY_ALIGN float largest[kMaxInt8HeadDim];  // largest magnitude of each component
};

void ReadColumns(int dim, int count, const float* values, int64_t stride, Columns* columns) {
  const F32 f;
  const int padded = Int8KvTile::padded_dim(dim), whole = dim / Lanes() * Lanes();
  std::fill_n(columns->largest, padded, 0.0f);
  for (int position = 0; position < count; ++position, values += stride) {
    float* to = columns->values + position * padded;
    for (int c = 0; c < whole; c += Lanes()) hn::Store(hn::LoadU(f, values + c), f, to + c);
    for (int c = whole; c < padded; ++c) to[c] = c < dim ? values[c] : 0.0f;
    for (int c = 0; c < padded; c += Lanes()) {
      const VF largest = hn::Max(hn::Load(f, columns->largest + c), hn::Abs(hn::Load(f, to + c)));
      hn::Store(largest, f, columns->largest + c);
    }
  }
  std::fill_n(columns->values + count * padded, (kTile - count) * padded, 0.0f);
}

// Stores components [c, c + Lanes()) of the tile's values.
void StoreColumns(const Int8KvTile& tile, int padded, const Columns& columns, int c) {
  const F32 f;
  const I32 i32;
  HWY_ALIGN float factors[16];
  for (int i = 0; i < Lanes(); ++i) {
    const Scale scale = ScaleOf(columns.largest[c + i]);
    factors[i] = scale.to;
    tile.value_scales[c + i] = scale.from;
  }
  const VF factor = hn::Load(f, factors);
  const V32 low = hn::Set(i32, 0xff);
  for (int quad = 0; quad < kTile / 4; ++quad) {
    V32 bytes[4];
    for (int i = 0; i < 4; ++i) {
      const VF value = hn::Load(f, columns.values + Int8KvTile::PositionOf(quad, i) * padded + c);
      bytes[i] = hn::And(hn::NearestInt(hn::Mul(value, factor)), low);
    }
    const V32 quads = hn::Or(hn::Or(bytes[0], hn::ShiftLeft<8>(bytes[1])),
                             hn::Or(hn::ShiftLeft<16>(bytes[2]), hn::ShiftLeft<24>(bytes[3])));
    hn::StoreU(quads, i32,
               reinterpret_cast<int32_t*>(tile.values + (int64_t{quad} * padded + c) * 4));
  }
}

void StoreImpl(const Int8KvTile& tile, int dim, int count, const float* keys, const float* values,
               int64_t stride) {
  StoreKeys(tile, dim, count, keys, stride);
  const int padded = Int8KvTile::padded_dim(dim);
  Columns columns;
  ReadColumns(dim, count, values, stride, &columns);
  // The kernels also compute the sums of the padding. Those sums are not used.
  for (int c = 0; c < padded; c += Lanes()) StoreColumns(tile, padded, columns, c);
}

}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgegate {

HWY_EXPORT(StoreImpl);
HWY_EXPORT(StoreQueryImpl);

void StoreInt8Query(const float* query, int head_dim, uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(StoreQueryImpl)(query, head_dim, out);
}

int64_t Int8KvTile::Bytes(int head_dim) {
  const int64_t padded = padded_dim(head_dim);
  return int64_t{quads(head_dim)} * kAttentionTile * 4 + kAttentionTile * 4 +
         padded * kAttentionTile + padded * 4;
}

Int8KvTile Int8KvTile::At(uint8_t* memory, int head_dim) {
  const int64_t padded = padded_dim(head_dim);
  Int8KvTile tile;
  tile.keys = memory;
  memory += int64_t{quads(head_dim)} * kAttentionTile * 4;
  tile.key_scales = reinterpret_cast<float*>(memory);
  memory += kAttentionTile * 4;
  tile.values = reinterpret_cast<int8_t*>(memory);
  memory += padded * kAttentionTile;
  tile.value_scales = reinterpret_cast<float*>(memory);
  return tile;
}

void StoreInt8Tile(const Int8KvTile& tile, int head_dim, int count, const float* keys,
                   const float* values, int64_t stride) {
  HWY_DYNAMIC_DISPATCH(StoreImpl)(tile, head_dim, count, keys, values, stride);
}

}  // namespace edgegate
#endif
