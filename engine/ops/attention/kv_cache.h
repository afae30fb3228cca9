// The layout of keys and values in the blocks of the KV cache, in bf16 or at 8 bits.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/status.h"

namespace edgegate {

// The type of the numbers that are stored.
enum class KvType : uint8_t {
  kBf16,
  kInt8,  // s8 times one scale for each position's key, or value, of a KV head: absmax / 127
};

// "bf16" or "int8"; kInvalidArgument for another name.
Result<KvType> ParseKvType(std::string_view name);
std::string_view KvTypeName(KvType type);

// Positions of a block.
inline constexpr int kKvBlock = 16;
// Elements that must be readable past the last block: vectors may pass its last value.
inline constexpr int kKvSlack = 32;

// The KV of one layer of all sequences, a view. The memory belongs to the caller and needs no
// alignment. An element is 16 bits: a bf16, two s8, or half a float. One KV head's part of a block
// is
//   bf16: keys [key_pairs][kKvBlock][2] (a vector holds a pair of components of several keys; the
//         last pair of an odd head ends with zero), then values [kKvBlock / 2][head_dim][2] (a
//         component of a pair of positions).
//   int8: the scales of the keys [kKvBlock], the scales of the values [kKvBlock], keys
//         [2 * key_pairs][kKvBlock], values [kKvBlock][head_dim]. The two numbers of a bf16 pair
//         are in two rows.
struct KvLayer {
  uint16_t* data = nullptr;
  int num_kv_heads = 0;
  int head_dim = 0;
  KvType type = KvType::kBf16;

  int key_pairs() const { return (head_dim + 1) / 2; }
  // Count of the numbers in a block's keys, and in its values.
  int64_t key_numbers() const { return int64_t{2} * kKvBlock * key_pairs(); }
  int64_t value_numbers() const { return int64_t{kKvBlock} * head_dim; }
  int64_t head_elements() const {
    const int64_t numbers = key_numbers() + value_numbers();
    return type == KvType::kInt8 ? kScaleElements + numbers / 2 : numbers;
  }
  int64_t block_elements() const { return head_elements() * num_kv_heads; }

  // bf16: keys and values, and the index of one component of one position in them.
  uint16_t* keys(int block, int head) const {
    return data + block * block_elements() + head * head_elements();
  }
  uint16_t* values(int block, int head) const { return keys(block, head) + key_numbers(); }
  static int64_t key_index(int offset, int d) {
    return (int64_t{d / 2} * kKvBlock + offset) * 2 + d % 2;
  }
  int64_t value_index(int offset, int d) const {
    return (int64_t{offset / 2} * head_dim + d) * 2 + offset % 2;
  }

  // int8.
  float* key_scales(int block, int head) const {
    return reinterpret_cast<float*>(keys(block, head));
  }
  float* value_scales(int block, int head) const { return key_scales(block, head) + kKvBlock; }
  int8_t* keys8(int block, int head) const {
    return reinterpret_cast<int8_t*>(keys(block, head) + kScaleElements);
  }
  int8_t* values8(int block, int head) const { return keys8(block, head) + key_numbers(); }

 private:
  static constexpr int64_t kScaleElements = int64_t{2} * kKvBlock * (sizeof(float) / 2);
};

// Writes one position's key and value (each [num_kv_heads][head_dim] float, rope applied) into
// `block` at `offset` (0 .. kKvBlock - 1), rounded to the stored type. Threads may write different
// positions at once.
void WriteKv(const KvLayer& kv, int block, int offset, const float* key, const float* value);

}  // namespace edgegate
