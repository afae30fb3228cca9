// config.json and generation_config.json of a Hugging Face directory.
#pragma once

#include <string_view>

#include "engine/base/status.h"
#include "engine/model/model_config.h"
#include "engine/weights/json.h"

namespace edgegate {

// The decoder that config.json describes. The family is found by architectures[0]. Defaults of
// absent keys are those of transformers' config class. kUnimplemented, by name, for what the engine
// cannot compute. `media` is left null.
Result<ModelConfig> ParseHfConfig(const Json& config);

// The suggested sampling of generation_config.json. Its eos ids are added to the config's.
Result<GenerationDefaults> ParseGenerationConfig(std::string_view json, ModelConfig* config);

// Adds the eos ids of the architecture's config class, where neither file named any. To be called
// last.
void AddDefaultEos(ModelConfig* config);

}  // namespace edgegate
