// The expected time of quantizing a decoder.
#pragma once

#include "engine/model/model_config.h"
#include "engine/ops/linear/weight_formats.h"

namespace edgegate {

// The expected time of each step, in the unit of quantize/work_sizes.h.
struct WorkSizes {
  double embedding = 0, layer = 0, head = 0;
};

// Returns the expected time for a decoder that is calibrated with `tokens` tokens, including media
// rows. `head_format` is the format of lm_head.
WorkSizes EstimateWork(const ModelConfig& config, WeightFormat format, WeightFormat head_format,
                       int tokens);

}  // namespace edgegate
