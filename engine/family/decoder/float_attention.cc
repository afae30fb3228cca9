#include "engine/family/decoder/float_attention.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/family/decoder/float_attention.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "engine/base/thread_pool.h"
#include "engine/quantize/softmax.h"

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using F32 = hn::CappedTag<float, 16>;
using VF = hn::Vec<F32>;

// Sets out[r][j] = factor * sum over i < count of a[r][i] * b[i][j], for kRows rows and kVectors
// vectors of j. Rounds products and sums one by one.
template <int kRows, int kVectors>
HWY_INLINE void Block(const float* a, int64_t a_stride, const float* b, int64_t b_stride, int count,
                      float factor, float* out, int64_t out_stride) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  VF sums[kRows][kVectors];
  for (auto& row : sums) {
    for (VF& sum : row) sum = hn::Zero(d);
  }
  for (int i = 0; i < count; ++i) {
    VF from[kVectors];
    for (int j = 0; j < kVectors; ++j) from[j] = hn::LoadU(d, b + i * b_stride + j * lanes);
    for (int r = 0; r < kRows; ++r) {
      const VF weight = hn::Set(d, a[r * a_stride + i]);
      for (int j = 0; j < kVectors; ++j) {
        sums[r][j] = hn::Add(sums[r][j], hn::Mul(weight, from[j]));
      }
    }
  }
  const VF scale = hn::Set(d, factor);
  for (int r = 0; r < kRows; ++r) {
    for (int j = 0; j < kVectors; ++j) {
      hn::StoreU(hn::Mul(sums[r][j], scale), d, out + r * out_stride + j * lanes);
    }
  }
}

// Computes one column of out in the same way, for the columns that do not fill a vector.
HWY_INLINE void Column(const float* a, const float* b, int64_t b_stride, int count, float factor,
                       float* out) {
  float sum = 0;
  for (int i = 0; i < count; ++i) sum += a[i] * b[i * b_stride];
  *out = sum * factor;
}

template <int kRows>
HWY_INLINE void Rows(const float* a, int64_t a_stride, const float* b, int64_t b_stride, int count,
                     int columns, float factor, float* out, int64_t out_stride) {
  const int lanes = static_cast<int>(hn::Lanes(F32()));
  int j = 0;
  for (; j + 4 * lanes <= columns; j += 4 * lanes) {
    Block<kRows, 4>(a, a_stride, b + j, b_stride, count, factor, out + j, out_stride);
  }
  for (; j + lanes <= columns; j += lanes) {
    Block<kRows, 1>(a, a_stride, b + j, b_stride, count, factor, out + j, out_stride);
  }
  for (; j < columns; ++j) {
    for (int r = 0; r < kRows; ++r) {
      Column(a + r * a_stride, b + j, b_stride, count, factor, out + r * out_stride + j);
    }
  }
}

void MultiplyImpl(const float* a, int64_t a_stride, int rows, const float* b, int64_t b_stride,
                  int count, int columns, float factor, float* out, int64_t out_stride) {
  int r = 0;
  for (; r + 2 <= rows; r += 2) {
    Rows<2>(a + r * a_stride, a_stride, b, b_stride, count, columns, factor, out + r * out_stride,
            out_stride);
  }
  if (r < rows) {
    Rows<1>(a + r * a_stride, a_stride, b, b_stride, count, columns, factor, out + r * out_stride,
            out_stride);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgegate {
namespace {

HWY_EXPORT(MultiplyImpl);

constexpr int kLanes = 16;  // lanes of the widest vector

int Padded(int positions) { return (positions + kLanes - 1) / kLanes * kLanes; }

// Transposes the keys of one sequence and head, [positions][head_dim], to [head_dim][padded].
void Transpose(const float* keys, int64_t stride, int positions, int head_dim, int padded,
               float* out) {
  for (int first = 0; first < positions; first += kLanes) {
    for (int d = 0; d < head_dim; ++d) {
      float* to = out + int64_t{d} * padded;
      for (int p = first; p < std::min(first + kLanes, positions); ++p)
        to[p] = keys[p * stride + d];
    }
  }
}

}  // namespace

std::vector<float> CausalAttention(const ModelConfig& c, const std::vector<float>& q,
                                   const std::vector<float>& k, const std::vector<float>& v,
                                   int sequence) {
  const int tokens = static_cast<int>(q.size()) / c.q_size();
  sequence = std::min(sequence, tokens);
  const int sequences = (tokens + sequence - 1) / sequence, kv = c.num_kv_heads;
  const int dim = c.head_dim, group = c.num_heads / kv, padded = Padded(sequence);
  const int64_t head_size = int64_t{dim} * padded;
  std::vector<float> out(q.size()), turned(static_cast<size_t>(head_size * sequences * kv));
  ParallelFor(sequences * kv, [&](int i) {
    const int first = i / kv * sequence;
    Transpose(k.data() + int64_t{first} * c.kv_size() + int64_t{i % kv} * dim, c.kv_size(),
              std::min(sequence, tokens - first), dim, padded, turned.data() + i * head_size);
  });
  const float scale = 1.0f / std::sqrt(static_cast<float>(dim));
  // Tasks of the same head are adjacent, so that its keys and values stay in a thread's cache.
  ParallelFor(tokens * kv, [&](int task) {
    const int head = task / tokens, t = task % tokens, position = t % sequence, n = position + 1;
    const int64_t at = int64_t{t} * c.q_size() + int64_t{head} * group * dim;
    std::vector<float> weights(static_cast<size_t>(group) * padded);
    const float* keys = turned.data() + (t / sequence * kv + head) * head_size;
    HWY_DYNAMIC_DISPATCH(MultiplyImpl)
    (q.data() + at, dim, group, keys, padded, dim, Padded(n), scale, weights.data(), padded);
    SoftmaxRows(weights.data(), padded, group, n);
    const float* values = v.data() + int64_t{t - position} * c.kv_size() + int64_t{head} * dim;
    HWY_DYNAMIC_DISPATCH(MultiplyImpl)
    (weights.data(), padded, group, values, c.kv_size(), n, dim, 1.0f, out.data() + at, dim);
  });
  return out;
}

}  // namespace edgegate
#endif
