// Reads config.json and generation_config.json of a Hugging Face directory.
#pragma once

#include <string_view>

#include "engine/base/status.h"
#include "engine/model/model_config.h"
#include "engine/weights/json.h"

namespace edgegate {

// Returns the decoder config of config.json. architectures[0] selects the family. Defaults of
// absent keys are those of the config class in transformers. `media` is null. kUnimplemented: the
// engine does not support a value; the message names it.
Result<ModelConfig> ParseHfConfig(const Json& config);

// Returns the suggested sampling parameters of generation_config.json. Adds its eos ids to those of
// `config`.
Result<GenerationDefaults> ParseGenerationConfig(std::string_view json, ModelConfig* config);

// Adds the eos ids of the architecture's config class if neither file has any. Call it last.
void AddDefaultEos(ModelConfig* config);

}  // namespace edgegate
