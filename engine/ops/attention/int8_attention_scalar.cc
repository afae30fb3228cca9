// INT8 attention in plain loops, row by row.

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

// Must be included after highway.h.
#include "engine/ops/attention/int8_attention.h"
#include "engine/ops/isa/exp2-inl.h"

namespace edgegate {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using HWY_NAMESPACE::kLog2E;

constexpr int kTile = kAttentionTile;

// Returns 2^x for x <= 0.
float Exp2Of(float x) {
  const hn::CappedTag<float, 1> f;
  return hn::GetLane(HWY_NAMESPACE::Exp2(f, hn::Set(f, x)));
}

// Returns 255 * 2^x, rounded, for the exponent -x * kExponentUnits + kExponentShift. The quadratic
// polynomial is that of int8_attention.cc.
uint8_t Weight(float exponent) {
  const uint32_t at = exponent < 32767.0f ? static_cast<uint32_t>(std::nearbyint(exponent)) : 32767;
  const uint32_t part = at << 5 & 0xffff;  // of 2^16
  uint32_t p = 43477 - (part * 11006 >> 16);
  p = 65167 - (part * p >> 16);
  return static_cast<uint8_t>(std::min(((p >> (at >> 11)) + 1) / 2, 255u));
}

// The softmax of a row over the tiles so far.
struct Row {
  const uint8_t* q;
  int32_t start;  // initial sum of a score; cancels the keys' offset
  float to_log2;  // factor from (sum times key's scale) to an exponent of two
  float largest = std::numeric_limits<float>::lowest();
  float total = 0;
  float sums[kMaxInt8HeadDim] = {};
};

// Returns the score of position `at`. The factor of the row is not applied.
float Score(const Int8KvTile& tile, const Row& row, int dim, int at) {
  int32_t sum = row.start;
  for (int d = 0; d < dim; ++d) {
    const int key = tile.keys[(d / 4 * kTile + at) * 4 + d % 4];
    sum += key * static_cast<int8_t>(row.q[d]);
  }
  return static_cast<float>(sum) * tile.key_scales[at];
}

// Adds a tile, of which the first `exist` positions exist.
void AddTile(const Int8KvTile& tile, int dim, int exist, Row* row) {
  float scores[kTile];
  for (int at = 0; at < exist; ++at) scores[at] = Score(tile, *row, dim, at);
  const float largest = *std::max_element(scores, scores + exist);
  const float now = std::max(row->largest, largest);
  const float before = Exp2Of((row->largest - now) * row->to_log2);
  const float share = Exp2Of((largest - now) * row->to_log2);
  row->largest = now;
  const float scale = row->to_log2 * kExponentUnits;
  int32_t weights[kTile] = {}, total = 0;
  for (int at = 0; at < exist; ++at) {
    weights[at] = Weight((largest - scores[at]) * scale + kExponentShift);
    total += weights[at];
  }
  row->total = row->total * before + static_cast<float>(total) * share;
  const int padded = Int8KvTile::padded_dim(dim);
  for (int d = 0; d < dim; ++d) {
    int32_t sum = 0;
    for (int quad = 0; quad < kTile / 4; ++quad) {
      const int8_t* values = tile.values + (int64_t{quad} * padded + d) * 4;
      for (int i = 0; i < 4; ++i) sum += weights[Int8KvTile::PositionOf(quad, i)] * values[i];
    }
    const float factor = tile.value_scales[d] * share;
    row->sums[d] = static_cast<float>(sum) * factor + row->sums[d] * before;
  }
}

}  // namespace

void AttendInt8Scalar(const Int8AttentionTask& task) {
  const int dim = task.head_dim;
  for (int r = 0; r < task.rows; ++r) {
    const uint8_t* memory = task.queries + r * Int8Query::Bytes(dim);
    Int8Query query;
    std::memcpy(&query, memory, sizeof(query));
    // The factor must not be zero, as in int8_attention.cc.
    Row row{.q = memory + sizeof(query),
            .start = -Int8KvTile::kKeyOffset * query.sum,
            .to_log2 = std::max(query.scale * task.scale * kLog2E, 1e-30f)};
    for (int at = 0; at < task.positions; at += kTile) {
      uint8_t* tile = task.tiles + at / kTile * Int8KvTile::Bytes(dim);
      AddTile(Int8KvTile::At(tile, dim), dim, std::min(kTile, task.positions - at), &row);
    }
    const float inverse = 1.0f / row.total;
    for (int d = 0; d < dim; ++d) task.out[r * task.stride + d] = row.sums[d] * inverse;
  }
}

}  // namespace edgegate
