// A tile of the KV cache as attention reads it: bf16 pairs of its keys or of its values, and their
// scales. There is one class for each KvType. The file is included once for each of Highway's
// targets, as exp2-inl.h is.
#if defined(EDGEGATE_KV_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EDGEGATE_KV_TILE_INL_H_
#undef EDGEGATE_KV_TILE_INL_H_
#else
#define EDGEGATE_KV_TILE_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <algorithm>

#include "engine/ops/attention/attention.h"

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {

using F32 = hwy::HWY_NAMESPACE::CappedTag<float, kKvBlock>;
using U32 = hwy::HWY_NAMESPACE::RebindToUnsigned<F32>;
using VF = hwy::HWY_NAMESPACE::Vec<F32>;
using VU = hwy::HWY_NAMESPACE::Vec<U32>;

constexpr int kTile = 128;  // positions per softmax update
constexpr int kTileBlocks = kTile / kKvBlock;
constexpr int kMaxHeadDim = 1024;

// Returns the KV block that holds block `b` of the `count` positions from `position` on. If `b` is
// after the last block, returns the last block. The results of such positions are not used.
HWY_INLINE int BlockOf(const AttentionTask& task, int position, int count, int b) {
  return task.block_table[position / kKvBlock + std::min(b, (count - 1) / kKvBlock)];
}

// A tile whose pairs are read in the cache itself.
class Bf16Tile {
 public:
  void ReadKeys(const KvLayer& kv, const AttentionTask& task, int position, int count) {
    for (int b = 0; b < kTileBlocks; ++b) {
      blocks_[b] = kv.keys(BlockOf(task, position, count, b), task.kv_head);
    }
  }
  void ReadValues(const KvLayer& kv, const AttentionTask& task, int position, int count) {
    for (int b = 0; b < kTileBlocks; ++b) {
      blocks_[b] = kv.values(BlockOf(task, position, count, b), task.kv_head);
    }
  }
  const uint16_t* block(int b) const { return blocks_[b]; }
  VF ScaleScores(VF scores, int) const { return scores; }
  VF ScaleWeights(VF weights, int) const { return weights; }

 private:
  const uint16_t* blocks_[kTileBlocks];
};

// A tile whose 8-bit numbers are unpacked to pairs, exactly, once for all rows that share the tile.
// Scores and weights are multiplied by the scales, so that the products are the same as for bf16.
// Each read of a block prefetches the block that is unpacked half a tile later.
class Int8Tile {
 public:
  void ReadKeys(const KvLayer& kv, const AttentionTask& task, int position, int count) {
    stride_ = kv.key_numbers();
    for (int b = 0; b < kTileBlocks; ++b) {
      const int block = BlockOf(task, position, count, b);
      key_scales_[b] = kv.key_scales(block, task.kv_head);
      value_scales_[b] = kv.value_scales(block, task.kv_head);
      if (b * kKvBlock >= count) continue;
      Fetch(kv.values8(block, task.kv_head), kv.value_numbers());
      const int8_t* keys = kv.keys8(block, task.kv_head);
      for (int pair = 0; pair < kv.key_pairs(); ++pair, keys += 2 * kKvBlock) {
        Unpack(keys, keys + kKvBlock, kKvBlock, At(b) + int64_t{pair} * 2 * kKvBlock);
      }
    }
  }
  void ReadValues(const KvLayer& kv, const AttentionTask& task, int position, int count) {
    stride_ = kv.value_numbers();
    const int dim = kv.head_dim;
    for (int b = 0; b < kTileBlocks && b * kKvBlock < count; ++b) {
      const int next = BlockOf(task, position, count, b + kTileBlocks);
      Fetch(kv.keys8(next, task.kv_head), kv.key_numbers());
      const int8_t* values = kv.values8(BlockOf(task, position, count, b), task.kv_head);
      for (int pair = 0; pair < kKvBlock / 2; ++pair, values += 2 * dim) {
        Unpack(values, values + dim, dim, At(b) + int64_t{pair} * 2 * dim);
      }
    }
  }
  const uint16_t* block(int b) const { return unpacked_ + b * stride_; }

  // Multiplies scores by the scales of the keys. `at` is the tile's index of the vector's first
  // position.
  VF ScaleScores(VF scores, int at) const { return Mul(scores, Scales(key_scales_, at)); }
  // A position with weight zero may have a scale that was never written. Its result is zero.
  VF ScaleWeights(VF weights, int at) const {
    const auto some = Gt(weights, hwy::HWY_NAMESPACE::Zero(F32()));
    return IfThenElseZero(some, Mul(weights, Scales(value_scales_, at)));
  }

 private:
  static HWY_INLINE void Fetch(const int8_t* part, int64_t bytes) {
    constexpr int kLine = 64;
    for (int64_t i = 0; i < bytes; i += kLine) hwy::Prefetch(part + i);
  }
  uint16_t* At(int b) { return unpacked_ + b * stride_; }
  static VF Scales(const float* const* scales, int at) {
    return hwy::HWY_NAMESPACE::LoadU(F32(), scales[at / kKvBlock] + at % kKvBlock);
  }
  // Unpacks two rows to pairs. Reads and writes whole vectors. A float of an integer of magnitude
  // below 256 ends in 16 zero bits, so that its upper half is the bf16.
  static HWY_INLINE void Unpack(const int8_t* first, const int8_t* second, int count,
                                uint16_t* out) {
    const U32 u32;
    const int lanes = static_cast<int>(hwy::HWY_NAMESPACE::Lanes(u32));
    for (int i = 0; i < count; i += lanes) {
      const VU pairs =
          Or(hwy::HWY_NAMESPACE::ShiftRight<16>(FloatBits(first + i)), FloatBits(second + i));
      StoreU(pairs, u32, reinterpret_cast<uint32_t*>(out + 2 * i));
    }
  }
  static HWY_INLINE VU FloatBits(const int8_t* p) {
    namespace hn = hwy::HWY_NAMESPACE;
    const hn::RebindToSigned<F32> i32;
    const auto whole = hn::PromoteTo(i32, hn::LoadU(hn::Rebind<int8_t, F32>(), p));
    return hn::BitCast(U32(), hn::ConvertTo(F32(), whole));
  }

  int64_t stride_;  // numbers of a block
  const float* key_scales_[kTileBlocks];
  const float* value_scales_[kTileBlocks];
  HWY_ALIGN uint16_t unpacked_[kTile * kMaxHeadDim + kKvSlack];
};

}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#endif
