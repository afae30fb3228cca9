// The vision_config of a config.json.
#pragma once

#include "engine/base/status.h"
#include "engine/model/model_config.h"
#include "engine/weights/json.h"

namespace edgegate {

// Sets model->vision where `config`, a whole config.json, has a vision_config. kUnimplemented, by
// name, for what the engine cannot compute.
Status ParseHfVisionConfig(const Json& config, ModelConfig* model);

}  // namespace edgegate
