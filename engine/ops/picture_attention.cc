#include "engine/ops/picture_attention.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/base/cpu_features.h"
#include "engine/ops/int8_attention.h"

namespace edgegate {
namespace {

constexpr int kRowsPerTask = 16;

int Chunks(int count, int of) { return (count + of - 1) / of; }

}  // namespace

static_assert(PictureAttention::kPatches % kAttentionTile == 0);
static_assert(PictureAttention::kPatches % kKvBlock == 0);

PictureAttention::PictureAttention(int patches, int heads, int head_dim, bool precise)
    : patches_(patches),
      heads_(heads),
      head_dim_(head_dim),
      int8_(!precise && HasVnni() && head_dim <= kMostInt8HeadDim),
      layer_{nullptr, heads, head_dim} {
  if (int8_) {
    tiles_.Reset(Int8KvTile::Bytes(head_dim) * Chunks(patches, kAttentionTile) * heads);
    return;
  }
  blocks_.resize(static_cast<size_t>(Chunks(patches, kKvBlock)));
  std::iota(blocks_.begin(), blocks_.end(), 0);
  kv_.Reset(blocks_.size() * layer_.block_elements() + kKvSlack);
  layer_.data = kv_.data();
}

uint8_t* PictureAttention::TilesOf(int head) {
  return tiles_.data() + head * Int8KvTile::Bytes(head_dim_) * Chunks(patches_, kAttentionTile);
}

void PictureAttention::Store(int first, int count, const float* keys, const float* values,
                             int64_t stride) {
  if (!int8_) {
#pragma omp parallel for schedule(static)
    for (int i = 0; i < count; ++i) {
      WriteKv(layer_, (first + i) / kKvBlock, (first + i) % kKvBlock, keys + i * stride,
              values + i * stride);
    }
    return;
  }
  const int64_t bytes = Int8KvTile::Bytes(head_dim_);
#pragma omp parallel for schedule(static) collapse(2)
  for (int head = 0; head < heads_; ++head) {
    for (int i = 0; i < count; i += kAttentionTile) {
      uint8_t* tile = TilesOf(head) + (first + i) / kAttentionTile * bytes;
      const int64_t from = i * stride + int64_t{head} * head_dim_;
      StoreInt8Tile(Int8KvTile::At(tile, head_dim_), head_dim_, std::min(kAttentionTile, count - i),
                    keys + from, values + from, stride);
    }
  }
}

void PictureAttention::Attend(int count, float* queries, float* out) {
  const int64_t width = int64_t{heads_} * head_dim_;
  // Head by head, so that its keys and values stay in the second-level cache.
#pragma omp parallel for schedule(dynamic) collapse(2)
  for (int head = 0; head < heads_; ++head) {
    for (int row = 0; row < count; row += kRowsPerTask) {
      const int64_t at = row * width + int64_t{head} * head_dim_;
      AttendRows(head, std::min(kRowsPerTask, count - row), queries + at, out + at);
    }
  }
}

// Some rows of one head.
void PictureAttention::AttendRows(int head, int count, float* queries, float* out) {
  const int64_t width = int64_t{heads_} * head_dim_;
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_dim_));
  if (int8_) {
    return AttendInt8({.q = queries,
                       .out = out,
                       .stride = width,
                       .rows = count,
                       .head_dim = head_dim_,
                       .scale = scale,
                       .tiles = TilesOf(head),
                       .positions = patches_});
  }
  for (int row = 0; row < count; ++row) {
    float* q = queries + row * width;
    for (int d = 0; d < head_dim_; ++d) q[d] *= scale;
  }
  edgegate::Attend(layer_, {.q = queries,
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
