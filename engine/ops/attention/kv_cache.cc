#include "engine/ops/attention/kv_cache.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/base/half.h"

namespace edgegate {
namespace {

// Rounds a number of magnitude at most 127 to the nearest integer, ties to even. The low bits of
// the sum are that integer.
int8_t RoundToS8(float x) { return static_cast<int8_t>(std::bit_cast<int32_t>(x + 0x1.8p23f)); }

// Writes one head's key or value, and the scale of its largest number. Number d goes to
// out[d * stride].
void WriteRow(const float* x, int count, float* scale, int8_t* out, int stride) {
  float largest = 0;
  for (int d = 0; d < count; ++d) largest = std::max(largest, std::fabs(x[d]));
  *scale = largest / 127.0f;
  const float inverse = largest > 0 ? 127.0f / largest : 0.0f;
  for (int d = 0; d < count; ++d) out[int64_t{d} * stride] = RoundToS8(x[d] * inverse);
}

void WriteInt8(const KvLayer& kv, int block, int offset, int head, const float* key,
               const float* value) {
  const int dim = kv.head_dim;
  int8_t* keys = kv.keys8(block, head) + offset;
  WriteRow(key, dim, kv.key_scales(block, head) + offset, keys, kKvBlock);
  if (dim % 2 != 0) keys[int64_t{dim} * kKvBlock] = 0;
  WriteRow(value, dim, kv.value_scales(block, head) + offset,
           kv.values8(block, head) + int64_t{offset} * dim, 1);
}

uint16_t StoredBf16(float x) { return std::fabs(x) < kLeastFactor ? 0 : FloatToBf16(x); }

void WriteBf16(const KvLayer& kv, int block, int offset, int head, const float* key,
               const float* value) {
  uint16_t* keys = kv.keys(block, head);
  uint16_t* values = kv.values(block, head);
  for (int d = 0; d < kv.head_dim; ++d) {
    keys[KvLayer::key_index(offset, d)] = StoredBf16(key[d]);
    values[kv.value_index(offset, d)] = StoredBf16(value[d]);
  }
  if (kv.head_dim % 2 != 0) keys[KvLayer::key_index(offset, kv.head_dim)] = 0;
}

}  // namespace

Result<KvType> ParseKvType(std::string_view name) {
  for (const KvType type : {KvType::kBf16, KvType::kInt8}) {
    if (name == KvTypeName(type)) return type;
  }
  return InvalidArgument("KV cache type \"{}\": must be bf16 or int8", name);
}

std::string_view KvTypeName(KvType type) { return type == KvType::kInt8 ? "int8" : "bf16"; }

void WriteKv(const KvLayer& kv, int block, int offset, const float* key, const float* value) {
  const auto write = kv.type == KvType::kInt8 ? WriteInt8 : WriteBf16;
  for (int head = 0; head < kv.num_kv_heads; ++head) {
    const int64_t first = int64_t{head} * kv.head_dim;
    write(kv, block, offset, head, key + first, value + first);
  }
}

}  // namespace edgegate
