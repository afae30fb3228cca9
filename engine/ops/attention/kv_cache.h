// The layout of keys and values in the blocks of the KV cache, in bf16 or with 8 bits.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/status.h"

namespace edgegate {

// The type of the numbers that are stored.
enum class KvType : uint8_t {
  kBf16,
  kInt8,  // s8; a position's key and its value of a KV head each have a scale: absmax / 127
};

// Parses "bf16" or "int8". kInvalidArgument: another name.
Result<KvType> ParseKvType(std::string_view name);
// Returns the name that ParseKvType() reads.
std::string_view KvTypeName(KvType type);

// Number of positions in a block.
inline constexpr int kKvBlock = 16;
// Number of elements that must be readable after the last block, because vectors may extend past
// its last value.
inline constexpr int kKvSlack = 32;
// The least magnitude of a bf16 number that attention multiplies. Smaller keys, values, queries and
// weights are replaced by zero. So the product of two such numbers is zero or a normal number that
// is a multiple of 2^-134, and exact in float.
inline constexpr float kLeastFactor = 0x1p-60f;

// The keys and values of one layer, for all sequences. A view: the caller owns the memory, which
// needs no alignment. An element has 16 bits: one bf16, two s8, or half a float. The part of one KV
// head in a block is
//   bf16: keys [key_pairs][kKvBlock][2], then values [kKvBlock / 2][head_dim][2]. A vector of keys
//         holds a pair of components of several positions. If head_dim is odd, the last pair ends
//         with zero. A pair of values is one component of two positions.
//   int8: the scales of the keys [kKvBlock], the scales of the values [kKvBlock], keys
//         [2 * key_pairs][kKvBlock], values [kKvBlock][head_dim]. The two numbers of a bf16 pair
//         are in two rows.
struct KvLayer {
  uint16_t* data = nullptr;
  int num_kv_heads = 0;
  int head_dim = 0;
  KvType type = KvType::kBf16;

  int key_pairs() const { return (head_dim + 1) / 2; }
  // Number of numbers in a block's keys, and in its values, of one head.
  int64_t key_numbers() const { return int64_t{2} * kKvBlock * key_pairs(); }
  int64_t value_numbers() const { return int64_t{kKvBlock} * head_dim; }
  // Number of elements of one head's part of a block, and of a block.
  int64_t head_elements() const {
    const int64_t numbers = key_numbers() + value_numbers();
    return type == KvType::kInt8 ? kScaleElements + numbers / 2 : numbers;
  }
  int64_t block_elements() const { return head_elements() * num_kv_heads; }

  // bf16: pointers to one head's keys and values, and the index of component `d` of position
  // `offset` in them.
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

  // int8: pointers to one head's scales, keys and values.
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

// Writes one position's key and value, each float [num_kv_heads][head_dim] with rope applied, to
// `block` at `offset` (0 .. kKvBlock - 1), rounded to the stored type. Threads may write different
// positions at once.
void WriteKv(const KvLayer& kv, int block, int offset, const float* key, const float* value);

}  // namespace edgegate
