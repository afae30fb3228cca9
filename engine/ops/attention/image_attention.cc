#include "engine/ops/attention/image_attention.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/base/ceil_div.h"
#include "engine/base/thread_pool.h"

namespace edgegate {
namespace {

constexpr int kRowsPerTask = 16;

float ScoreScale(int head_dim) { return 1.0f / std::sqrt(static_cast<float>(head_dim)); }

}  // namespace

static_assert(ImageAttention::kPatches % kAttentionTile == 0);
static_assert(ImageAttention::kPatches % kKvBlock == 0);

ImageAttention::ImageAttention(int patches, int heads, int head_dim, bool precise)
    : patches_(patches),
      heads_(heads),
      head_dim_(head_dim),
      int8_(precise || head_dim > kMaxInt8HeadDim ? nullptr : &SelectInt8AttentionKernel()),
      layer_{nullptr, heads, head_dim} {
  if (int8_ != nullptr) {
    queries8_.Reset(Int8Query::Bytes(head_dim) * patches * heads);
    tiles_.Reset(Int8KvTile::Bytes(head_dim) * CeilDiv(patches, kAttentionTile) * heads);
    return;
  }
  queries_.Reset(size_t{1} * patches * heads * head_dim);
  blocks_.resize(static_cast<size_t>(CeilDiv(patches, kKvBlock)));
  std::iota(blocks_.begin(), blocks_.end(), 0);
  kv_.Reset(blocks_.size() * layer_.block_elements() + kKvSlack);
  layer_.data = kv_.data();
}

uint8_t* ImageAttention::QueryOf(int head, int patch) {
  return queries8_.data() + (int64_t{head} * patches_ + patch) * Int8Query::Bytes(head_dim_);
}

uint8_t* ImageAttention::TilesOf(int head) {
  return tiles_.data() + head * Int8KvTile::Bytes(head_dim_) * CeilDiv(patches_, kAttentionTile);
}

void ImageAttention::Store(int first, int count, const float* queries, int64_t q_stride,
                           const float* keys, const float* values, int64_t stride) {
  if (int8_ == nullptr) return StoreBf16(first, count, queries, q_stride, keys, values, stride);
  const int64_t bytes = Int8KvTile::Bytes(head_dim_);
  const int tiles = CeilDiv(count, kAttentionTile);
  ParallelFor(heads_ * tiles, [&](int index) {
    const int head = index / tiles;
    const int i = index % tiles * kAttentionTile;
    const int rows = std::min(kAttentionTile, count - i);
    const int64_t column = int64_t{head} * head_dim_;
    for (int row = i; row < i + rows; ++row) {
      StoreInt8Query(queries + row * q_stride + column, head_dim_, QueryOf(head, first + row));
    }
    uint8_t* tile = TilesOf(head) + (first + i) / kAttentionTile * bytes;
    const int64_t from = i * stride + column;
    StoreInt8Tile(Int8KvTile::At(tile, head_dim_), head_dim_, rows, keys + from, values + from,
                  stride);
  });
}

void ImageAttention::StoreBf16(int first, int count, const float* queries, int64_t q_stride,
                               const float* keys, const float* values, int64_t stride) {
  const int width = heads_ * head_dim_;
  const float scale = ScoreScale(head_dim_);
  ParallelFor(count, [&](int i) {
    float* query = queries_.data() + int64_t{first + i} * width;
    for (int c = 0; c < width; ++c) query[c] = queries[i * q_stride + c] * scale;
    WriteKv(layer_, (first + i) / kKvBlock, (first + i) % kKvBlock, keys + i * stride,
            values + i * stride);
  });
}

void ImageAttention::Attend(int first, int count, float* out) {
  // The tasks of one head are consecutive, so that the head's keys and values stay in the
  // second-level cache.
  const int tasks = CeilDiv(count, kRowsPerTask);
  ParallelFor(heads_ * tasks, [&](int index) {
    const int head = index / tasks;
    const int row = index % tasks * kRowsPerTask;
    AttendRows(head, first + row, std::min(kRowsPerTask, count - row),
               out + int64_t{row} * heads_ * head_dim_ + int64_t{head} * head_dim_);
  });
}

// Computes `count` rows of one head.
void ImageAttention::AttendRows(int head, int first, int count, float* out) {
  const int64_t width = int64_t{heads_} * head_dim_;
  if (int8_ != nullptr) {
    return int8_->attend({.queries = QueryOf(head, first),
                          .out = out,
                          .stride = width,
                          .rows = count,
                          .head_dim = head_dim_,
                          .scale = ScoreScale(head_dim_),
                          .tiles = TilesOf(head),
                          .positions = patches_});
  }
  edgegate::Attend(layer_, {.q = queries_.data() + first * width + int64_t{head} * head_dim_,
                            .out = out,
                            .q_stride = width,
                            .out_stride = width,
                            .group = 1,
                            .tokens = count,
                            .block_table = blocks_.data(),
                            .kv_head = head,
                            .visible = patches_});
}

}  // namespace edgegate
