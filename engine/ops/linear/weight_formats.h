// The weight formats that the linear layers of a text model can be packed in.
//
// family/ has the quantization of a format. The other layers of a model (lm_head, image encoders)
// always have the format kInt8.
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

  // Returns a view of the tensors of layer NAME. `reader` stores an error.
  Linear (*load)(TensorReader* reader, const std::string& name, LinearShape shape, bool bias);
  // Returns a layer with random weights, for benchmarks. `arena` owns the memory.
  Linear (*random)(WeightArena* arena, LinearShape shape);
};

std::span<const WeightFormatInfo> WeightFormats();
const WeightFormatInfo& InfoOf(WeightFormat format);

// Parses "int8" or "int4". kInvalidArgument: another name.
Result<WeightFormat> ParseWeightFormat(std::string_view name);
std::string_view WeightFormatName(WeightFormat format);

}  // namespace edgegate
