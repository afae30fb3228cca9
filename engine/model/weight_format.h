// The storage format of a decoder's linear layers.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/status.h"

namespace edgegate {

// lm_head, the embedding, vision towers and adapters are the same in both.
enum class WeightFormat : uint8_t {
  kInt8,  // or fine, in narrow models (ops/linear/linear.h)
  kInt4,  // ops/linear/int4/weights.h
};

// The element type of an embedding table, as the published file has it.
enum class EmbeddingType : uint8_t { kF32, kF16, kBf16 };

// "int8" or "int4"; kInvalidArgument for another name.
Result<WeightFormat> ParseWeightFormat(std::string_view name);
std::string_view WeightFormatName(WeightFormat format);

}  // namespace edgegate
