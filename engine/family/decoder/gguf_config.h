// The config and vocabulary that a GGUF file's metadata describes.
#pragma once

#include <vector>

#include "engine/base/status.h"
#include "engine/model/model_config.h"
#include "engine/text/tokenizer_assets.h"
#include "engine/weights/gguf.h"

namespace edgegate {

// Returns the config of the decoder. general.architecture selects the family. `rope_factors` is the
// content of the tensor rope_freqs.weight, or empty. `media` is null. kUnimplemented: no family has
// the architecture, or the engine does not support a value; the message names it.
Result<ModelConfig> ConfigFromGguf(const GgufFile& gguf, const std::vector<float>& rope_factors);

// Returns the vocabulary in the tokenizer.* metadata. kDataLoss: a list has the wrong type.
Result<GgufVocab> VocabFromGguf(const GgufFile& gguf);

}  // namespace edgegate
