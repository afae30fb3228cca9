// The expected time of quantizing a decoder.
#pragma once

#include "engine/model/model_config.h"
#include "engine/ops/linear/weight_formats.h"

namespace edgegate {

// Of each step, in the unit of quantize/work_sizes.h.
struct WorkSizes {
  double embedding = 0, layer = 0, head = 0;
};

// For a decoder that is calibrated with `tokens` tokens, media rows included.
WorkSizes EstimateWork(const ModelConfig& config, WeightFormat format, int tokens);

}  // namespace edgegate
