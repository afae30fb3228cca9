// The model that a GGUF file's metadata describes.
#pragma once

#include <vector>

#include "engine/base/status.h"
#include "engine/model/model_config.h"
#include "engine/text/tokenizer_assets.h"
#include "engine/weights/gguf.h"

namespace edgegate {

// The decoder. The family is found by general.architecture; kUnimplemented, by name, where there is
// none. `rope_factors` is the content of the tensor rope_freqs.weight, or empty. `media` is left
// null.
Result<ModelConfig> ConfigFromGguf(const GgufFile& gguf, const std::vector<float>& rope_factors);

// The tokenizer.* metadata. kDataLoss where a list has the wrong type.
Result<GgufVocab> VocabFromGguf(const GgufFile& gguf);

}  // namespace edgegate
