// The model that a GGUF file's metadata describes.
#pragma once

#include "engine/base/status.h"
#include "engine/family/source_builder.h"
#include "engine/model/model_config.h"
#include "engine/text/tokenizer_assets.h"
#include "engine/weights/gguf.h"

namespace edgegate {

// kUnimplemented, by name, for an arch that is not supported. `rope_factors` is the content of the
// tensor rope_freqs.weight, or empty.
Result<ModelConfig> ConfigFromGguf(const GgufFile& gguf, const std::vector<float>& rope_factors);

// What llama.cpp's mmproj file of a GLM-Edge-V describes (arch clip, projector "adapter"); the
// adapter's width is left 0.
Result<VisionConfig> VisionFromGguf(const GgufFile& gguf);

// The tokenizer.* metadata. kDataLoss where a list has the wrong type.
Result<GgufVocab> VocabFromGguf(const GgufFile& gguf);

const TensorNames& GgufTensorNames(const ModelConfig& config);

}  // namespace edgegate
