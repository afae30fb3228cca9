// The weight formats that the linear layers of a text model can be packed in.
//
// A format's quantization is in family/. The other layers of a model (lm_head, image encoders) are
// of the format kInt8, whatever the format of the text model is.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "engine/ops/linear/linear.h"

namespace edgegate {

enum class WeightFormat : uint8_t {
  kInt8,  // INT8, or INT8 with a residual in narrow models
  kInt4,
};

// A row of the table.
struct WeightFormatInfo {
  WeightFormat format;
  std::string_view name;  // in settings and bundles

  // Views the tensors of layer NAME. An error is kept by the reader.
  Linear (*load)(TensorReader* reader, const std::string& name, LinearShape shape, bool bias);
  // Random weights, for benchmarks.
  Linear (*random)(WeightArena* arena, LinearShape shape);
};

std::span<const WeightFormatInfo> WeightFormats();
const WeightFormatInfo& InfoOf(WeightFormat format);

// "int8" or "int4"; kInvalidArgument for another name.
Result<WeightFormat> ParseWeightFormat(std::string_view name);
std::string_view WeightFormatName(WeightFormat format);

}  // namespace edgegate
