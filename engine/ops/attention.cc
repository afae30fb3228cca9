#include "engine/ops/attention.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/attention.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// After highway.h.
#include <hwy/contrib/math/math-inl.h>

#include <algorithm>
#include <cmath>
#include <limits>

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::CappedTag<float, kKvBlock>;
using VF = hn::Vec<F32>;

constexpr int kTile = 64;    // positions per softmax update
constexpr int kQueries = 4;  // rows that share a load of keys or values
constexpr int kMaxHeadDim = 1024;

HWY_INLINE VF LoadBf16(const uint16_t* p) {
  const F32 f;
  const hn::Rebind<uint16_t, F32> u16;
  const hn::RebindToUnsigned<F32> u32;
  return hn::BitCast(f, hn::ShiftLeft<16>(hn::PromoteTo(u32, hn::LoadU(u16, p))));
}

// Rows that are computed together: a query's float work is the same in any company.
struct Rows {
  const float* q[kQueries];
  float* out[kQueries];
  int positions[kQueries];  // how many each sees
  int count;
  int most;  // largest of positions
  float largest[kQueries];
  float total[kQueries];
};

// scores[r][0 .. 63] of the tile at `position`; -inf past each row's last position. kVecs vectors
// cover one block.
HWY_INLINE void Scores(const KvLayer& kv, const AttentionTask& task, const Rows& rows, int position,
                       float (*scores)[kTile]) {
  const F32 f;
  const int lanes = static_cast<int>(hn::Lanes(f));
  for (int block = 0; block < kTile / kKvBlock; ++block) {
    const int first = position + block * kKvBlock;
    if (first >= rows.most) {
      for (int r = 0; r < kQueries; ++r) {
        std::fill_n(scores[r] + block * kKvBlock, kKvBlock,
                    -std::numeric_limits<float>::infinity());
      }
      continue;
    }
    const uint16_t* keys = kv.keys(task.block_table[first / kKvBlock], task.kv_head);
    for (int lane = 0; lane < kKvBlock; lane += lanes) {
      // Even and odd components are summed apart: two chains per row hide the latency.
      VF even[kQueries], odd[kQueries];
      for (int r = 0; r < kQueries; ++r) even[r] = odd[r] = hn::Zero(f);
      int d = 0;
      for (; d + 2 <= kv.head_dim; d += 2) {
        const VF k0 = LoadBf16(keys + d * kKvBlock + lane);
        const VF k1 = LoadBf16(keys + (d + 1) * kKvBlock + lane);
        for (int r = 0; r < kQueries; ++r) {
          even[r] = hn::MulAdd(hn::Set(f, rows.q[r][d]), k0, even[r]);
          odd[r] = hn::MulAdd(hn::Set(f, rows.q[r][d + 1]), k1, odd[r]);
        }
      }
      for (; d < kv.head_dim; ++d) {
        const VF k0 = LoadBf16(keys + d * kKvBlock + lane);
        for (int r = 0; r < kQueries; ++r) {
          even[r] = hn::MulAdd(hn::Set(f, rows.q[r][d]), k0, even[r]);
        }
      }
      for (int r = 0; r < kQueries; ++r) {
        hn::StoreU(hn::Add(even[r], odd[r]), f, scores[r] + block * kKvBlock + lane);
      }
    }
  }
  for (int r = 0; r < kQueries; ++r) {
    for (int i = std::max(0, rows.positions[r] - position); i < kTile; ++i) {
      scores[r][i] = -std::numeric_limits<float>::infinity();
    }
  }
}

// Turns a row's scores into weights, and gives the factor for what was summed before.
HWY_INLINE float Softmax(float* scores, float* largest, float* total) {
  const F32 f;
  const int lanes = static_cast<int>(hn::Lanes(f));
  VF top = hn::Set(f, *largest);
  for (int i = 0; i < kTile; i += lanes) top = hn::Max(top, hn::LoadU(f, scores + i));
  const float now = hn::GetLane(hn::MaxOfLanes(f, top));
  const float factor = std::exp(*largest - now);
  const VF shift = hn::Set(f, now);
  VF sum = hn::Zero(f);
  for (int i = 0; i < kTile; i += lanes) {
    // exp of the masked is zero: Highway's Exp flushes below -104.
    const VF weight =
        hn::Exp(f, hn::Max(hn::Sub(hn::LoadU(f, scores + i), shift), hn::Set(f, -1e4f)));
    hn::StoreU(weight, f, scores + i);
    sum = hn::Add(sum, weight);
  }
  *total = *total * factor + hn::GetLane(hn::SumOfLanes(f, sum));
  *largest = now;
  return factor;
}

// out[r] = out[r] * factor[r] + sum over the tile of weight * value, kVecs vectors of components
// from `d` on.
template <int kVecs>
HWY_INLINE void Accumulate(const KvLayer& kv, const AttentionTask& task, const Rows& rows,
                           int position, int d, const float (*weights)[kTile], const float* factor,
                           float (*sums)[kMaxHeadDim + kKvSlack]) {
  const F32 f;
  const int lanes = static_cast<int>(hn::Lanes(f));
  VF acc[kQueries][kVecs];
  for (int r = 0; r < kQueries; ++r) {
    for (int v = 0; v < kVecs; ++v) {
      acc[r][v] = hn::Mul(hn::LoadU(f, sums[r] + d + v * lanes), hn::Set(f, factor[r]));
    }
  }
  const int end = std::min(kTile, rows.most - position);
  for (int i = 0; i < end; ++i) {
    const int p = position + i;
    const uint16_t* values = kv.values(task.block_table[p / kKvBlock], task.kv_head) +
                             int64_t{p % kKvBlock} * kv.head_dim + d;
    VF value[kVecs];
    for (int v = 0; v < kVecs; ++v) value[v] = LoadBf16(values + v * lanes);
    for (int r = 0; r < kQueries; ++r) {
      const VF weight = hn::Set(f, weights[r][i]);
      for (int v = 0; v < kVecs; ++v) acc[r][v] = hn::MulAdd(weight, value[v], acc[r][v]);
    }
  }
  for (int r = 0; r < kQueries; ++r) {
    for (int v = 0; v < kVecs; ++v) hn::StoreU(acc[r][v], f, sums[r] + d + v * lanes);
  }
}

void AttendRows(const KvLayer& kv, const AttentionTask& task, Rows& rows) {
  const F32 f;
  const int lanes = static_cast<int>(hn::Lanes(f));
  HWY_ALIGN float scores[kQueries][kTile];
  HWY_ALIGN float sums[kQueries][kMaxHeadDim + kKvSlack];
  for (int r = 0; r < kQueries; ++r) {
    std::fill_n(sums[r], kv.head_dim + kKvSlack, 0.0f);
    rows.largest[r] = std::numeric_limits<float>::lowest();
    rows.total[r] = 0;
  }
  for (int position = 0; position < rows.most; position += kTile) {
    Scores(kv, task, rows, position, scores);
    float factor[kQueries];
    for (int r = 0; r < kQueries; ++r) {
      factor[r] = Softmax(scores[r], &rows.largest[r], &rows.total[r]);
    }
    int d = 0;
    for (; d + 4 * lanes <= kv.head_dim; d += 4 * lanes) {
      Accumulate<4>(kv, task, rows, position, d, scores, factor, sums);
    }
    // The last vector may take in what stands behind the row; nobody reads those sums.
    for (; d < kv.head_dim; d += lanes) {
      Accumulate<1>(kv, task, rows, position, d, scores, factor, sums);
    }
  }
  for (int r = 0; r < rows.count; ++r) {
    const float inverse = 1.0f / rows.total[r];
    for (int d = 0; d < kv.head_dim; ++d) rows.out[r][d] = sums[r][d] * inverse;
  }
}

void AttendImpl(const KvLayer& kv, const AttentionTask& task) {
  const int total = task.tokens * task.group;
  for (int first = 0; first < total; first += kQueries) {
    Rows rows;
    rows.count = std::min(kQueries, total - first);
    rows.most = 0;
    for (int r = 0; r < kQueries; ++r) {
      // Missing rows repeat the last one; their result is not stored.
      const int row = std::min(first + r, total - 1);
      const int token = row / task.group;
      const int64_t head = int64_t{row % task.group} * kv.head_dim;
      rows.q[r] = task.q + token * task.q_stride + head;
      rows.out[r] = task.out + token * task.out_stride + head;
      rows.positions[r] = task.visible > 0 ? task.visible : task.first_position + token + 1;
      rows.most = std::max(rows.most, rows.positions[r]);
    }
    AttendRows(kv, task, rows);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgegate {

HWY_EXPORT(AttendImpl);

void Attend(const KvLayer& kv, const AttentionTask& task) {
  HWY_DYNAMIC_DISPATCH(AttendImpl)(kv, task);
}

}  // namespace edgegate
#endif
