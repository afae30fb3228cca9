// config.json and generation_config.json of a Hugging Face directory.
#pragma once

#include <string_view>

#include "engine/base/status.h"
#include "engine/family/source_builder.h"
#include "engine/model/model_config.h"

namespace edgegate {

// The model that config.json describes; defaults of absent keys are those of transformers' config
// class of that architecture. kUnimplemented, by name, for what the engine cannot compute.
Result<ModelConfig> ParseHfConfig(std::string_view config_json);

// Suggested sampling; eos ids are added to the config's.
Result<GenerationDefaults> ParseGenerationConfig(std::string_view json, ModelConfig* config);

// The eos ids of the architecture's config class, where neither file named any. Call it last.
void AddDefaultEos(ModelConfig* config);

// The tensor names of an architecture that ParseHfConfig accepted.
const TensorNames& HfTensorNames(const ModelConfig& config);

}  // namespace edgegate
