// The linear layers of a text model in 4-bit groups (ops/int4_weights.h).
//
// Rows that the source holds as GGUF Q4_0 or Q4_1 are kept exactly. Others get the levels that
// change the layer's output least on the calibration text (gptq.h), in groups of 64; inputs are not
// smoothed, since each group of them has a scale of its own.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/ops/int4_weights.h"
#include "engine/quantize/float_layer.h"
#include "engine/weights/bundle_format.h"

namespace edgegate {

// Q4_0 or Q4_1 blocks as groups, which stand for the same floats; nothing for any other type, and
// for Q4_0 scales whose minimum, -8 times as large, passes f16.
std::optional<std::vector<Int4Group>> ExactGroups(TensorType type, std::span<const uint8_t> blocks);

// Writes the linear layers of layer `index`; `inputs` are what calibration saw.
Status WriteInt4Layer(const ModelSource& source, int index, const FloatLayer& layer,
                      const LayerInputs& inputs, BundleWriter* writer);

}  // namespace edgegate
