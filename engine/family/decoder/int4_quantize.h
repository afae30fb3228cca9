// Quantizes the linear layers of a decoder to 4-bit groups (ops/linear/int4/weights.h).
//
// Rows that the source holds as GGUF Q4_0 or Q4_1 are kept exactly. Rows of Q4_K are kept too, with
// scales and minima rounded to f16. Other rows are rounded with GPTQ (quantize/gptq.h) in groups of
// 64. Inputs are not smoothed, because each group of them has its own scale.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/family/decoder/layer_quantizer.h"
#include "engine/ops/linear/int4/weights.h"
#include "engine/weights/bundle_format.h"

namespace edgegate {

// Converts blocks of Q4_0, Q4_1 and Q4_K to groups with the same levels. nullopt: the type is
// another one, or a scale or a minimum is out of f16's range (Q4_0's minimum is -8 times the
// scale).
std::optional<std::vector<Int4Group>> StoredGroups(TensorType type,
                                                   std::span<const uint8_t> blocks);

// The function LayerQuantizer::write of WeightFormat::kInt4. Does not change `weights`.
Status WriteInt4Layer(const LayerToQuantize& layer, FloatLayer* weights, BundleWriter* writer);

// The function LayerQuantizer::write_head of WeightFormat::kInt4. Does not change `norm`. Errors
// are those of TensorFiles::ReadRows().
Status WriteInt4Head(const ModelSource& source, const std::vector<float>& inputs, MakeLinearPacker*,
                     std::vector<float>* norm, BundleWriter* writer);

}  // namespace edgegate
