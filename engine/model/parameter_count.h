// The number of parameters of a decoder.
#pragma once

#include <cstdint>

#include "engine/model/model_config.h"

namespace edgegate {

// Returns the number of parameters, without those of `media`. Precondition: the config is valid.
int64_t CountParameters(const ModelConfig& config);

}  // namespace edgegate
