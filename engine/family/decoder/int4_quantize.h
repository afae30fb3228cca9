// The linear layers of a text model in 4-bit groups (ops/linear/int4/weights.h).
//
// Rows that the source holds as GGUF Q4_0 or Q4_1 are kept exactly, those of Q4_K but for the
// rounding of scales and minima to f16. Others get the levels that change the layer's output least
// on the calibration text (gptq.h), in groups of 64; inputs are not smoothed, since each group of
// them has a scale of its own.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/family/decoder/float_layer.h"
#include "engine/ops/linear/int4/weights.h"
#include "engine/weights/bundle_format.h"

namespace edgegate {

// Blocks of such rows as groups, with the same levels; nothing for any other type, and where a
// scale or a minimum passes f16 (Q4_0's minimum is -8 times the scale).
std::optional<std::vector<Int4Group>> StoredGroups(TensorType type,
                                                   std::span<const uint8_t> blocks);

// Writes the linear layers of layer `index`; `inputs` are what calibration saw.
Status WriteInt4Layer(const ModelSource& source, int index, const FloatLayer& layer,
                      const LayerInputs& inputs, BundleWriter* writer);

}  // namespace edgegate
