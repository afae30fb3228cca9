#include "engine/weights/dequantize.h"

#include <cstring>

#include "engine/base/half.h"

namespace edgegate {
namespace {

float HalfAt(const uint8_t* p) {
  uint16_t bits;
  std::memcpy(&bits, p, 2);
  return F16ToFloat(bits);
}

void Q4(const uint8_t* block, bool with_minimum, float* out) {
  const float d = HalfAt(block);
  const float m = with_minimum ? HalfAt(block + 2) : 0.0f;
  const uint8_t* q = block + (with_minimum ? 4 : 2);
  for (int i = 0; i < 16; ++i) {
    const int low = q[i] & 15, high = q[i] >> 4;
    out[i] = with_minimum ? d * static_cast<float>(low) + m : d * static_cast<float>(low - 8);
    out[i + 16] =
        with_minimum ? d * static_cast<float>(high) + m : d * static_cast<float>(high - 8);
  }
}

void Q5(const uint8_t* block, bool with_minimum, float* out) {
  const float d = HalfAt(block);
  const float m = with_minimum ? HalfAt(block + 2) : 0.0f;
  const uint8_t* p = block + (with_minimum ? 4 : 2);
  uint32_t high_bits;
  std::memcpy(&high_bits, p, 4);
  p += 4;
  for (int i = 0; i < 16; ++i) {
    const int low = (p[i] & 15) | static_cast<int>((high_bits >> i) & 1) << 4;
    const int high = (p[i] >> 4) | static_cast<int>((high_bits >> (i + 16)) & 1) << 4;
    out[i] = with_minimum ? d * static_cast<float>(low) + m : d * static_cast<float>(low - 16);
    out[i + 16] =
        with_minimum ? d * static_cast<float>(high) + m : d * static_cast<float>(high - 16);
  }
}

void Q8(const uint8_t* block, float* out) {
  const float d = HalfAt(block);
  for (int i = 0; i < 32; ++i) out[i] = static_cast<float>(static_cast<int8_t>(block[2 + i])) * d;
}

// Reads the 6-bit scale and minimum of sub-block j of a Q4_K or Q5_K block.
void ScaleMin(const uint8_t* scales, int j, int* scale, int* minimum) {
  if (j < 4) {
    *scale = scales[j] & 63;
    *minimum = scales[j + 4] & 63;
  } else {
    *scale = (scales[j + 4] & 15) | (scales[j - 4] >> 6) << 4;
    *minimum = (scales[j + 4] >> 4) | (scales[j] >> 6) << 4;
  }
}

// Reads part `part` of a Q4_K or Q5_K block.
KPart ReadPart(const uint8_t* block, bool five_bits, int part) {
  int scale, minimum;
  ScaleMin(block + 4, part, &scale, &minimum);
  KPart out = {HalfAt(block) * static_cast<float>(scale),
               HalfAt(block + 2) * static_cast<float>(minimum),
               {}};
  const uint8_t* low = block + (five_bits ? 48 : 16) + 32 * (part / 2);
  const uint8_t* high = block + 16;
  for (int i = 0; i < 32; ++i) {
    int q = low[i] >> (4 * (part % 2)) & 15;
    if (five_bits) q |= (high[i] >> part & 1) << 4;
    out.q[i] = static_cast<uint8_t>(q);
  }
  return out;
}

void Q45K(const uint8_t* block, bool five_bits, float* out) {
  for (int j = 0; j < 8; ++j) {
    const KPart part = ReadPart(block, five_bits, j);
    for (int i = 0; i < 32; ++i) {
      out[32 * j + i] = part.step * static_cast<float>(part.q[i]) - part.offset;
    }
  }
}

void Q6K(const uint8_t* block, float* out) {
  const uint8_t* low = block;
  const uint8_t* high = block + 128;
  const auto* scales = reinterpret_cast<const int8_t*>(block + 192);
  const float d = HalfAt(block + 208);
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128, within = i % 128, part = within / 32, j = within % 32;
    const int nibble = low[64 * half + 32 * (part % 2) + j] >> (4 * (part / 2)) & 15;
    const int top = high[32 * half + j] >> (2 * part) & 3;
    const float step = d * static_cast<float>(scales[i / 16]);
    out[i] = step * static_cast<float>((nibble | top << 4) - 32);
  }
}

void Block(TensorType type, const uint8_t* block, float* out) {
  switch (type) {
    case TensorType::kQ4_0:
      return Q4(block, false, out);
    case TensorType::kQ4_1:
      return Q4(block, true, out);
    case TensorType::kQ5_0:
      return Q5(block, false, out);
    case TensorType::kQ5_1:
      return Q5(block, true, out);
    case TensorType::kQ8_0:
      return Q8(block, out);
    case TensorType::kQ4K:
      return Q45K(block, false, out);
    case TensorType::kQ5K:
      return Q45K(block, true, out);
    case TensorType::kQ6K:
      return Q6K(block, out);
    default:
      return;
  }
}

}  // namespace

KPart ReadQ4K(const uint8_t* block, int part) { return ReadPart(block, false, part); }

BlockShape BlockOf(TensorType type) {
  switch (type) {
    case TensorType::kF32:
      return {1, 4};
    case TensorType::kF16:
    case TensorType::kBf16:
      return {1, 2};
    case TensorType::kQ4_0:
      return {32, 18};
    case TensorType::kQ4_1:
      return {32, 20};
    case TensorType::kQ5_0:
      return {32, 22};
    case TensorType::kQ5_1:
      return {32, 24};
    case TensorType::kQ8_0:
      return {32, 34};
    case TensorType::kQ4K:
      return {256, 144};
    case TensorType::kQ5K:
      return {256, 176};
    case TensorType::kQ6K:
      return {256, 210};
  }
  return {1, 4};
}

void Dequantize(TensorType type, const uint8_t* data, int64_t count, float* out) {
  if (count == 0) return;
  uint16_t bits;
  switch (type) {
    case TensorType::kF32:
      std::memcpy(out, data, static_cast<size_t>(count) * 4);
      return;
    case TensorType::kF16:
      for (int64_t i = 0; i < count; ++i) out[i] = HalfAt(data + 2 * i);
      return;
    case TensorType::kBf16:
      for (int64_t i = 0; i < count; ++i) {
        std::memcpy(&bits, data + 2 * i, 2);
        out[i] = Bf16ToFloat(bits);
      }
      return;
    default:
      break;
  }
  const BlockShape shape = BlockOf(type);
  for (int64_t i = 0; i < count; i += shape.elements, data += shape.bytes) {
    Block(type, data, out + i);
  }
}

}  // namespace edgegate
