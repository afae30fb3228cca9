// SmoothQuant (Xiao et al. 2022, arXiv:2211.10438) of a decoder layer.
#pragma once

#include "engine/family/decoder/float_layer.h"
#include "engine/model/model_config.h"

namespace edgegate {

// Folds the smoothing factors of the layer's four linear stages into its weights, in parallel.
// `inputs` are those of the calibration text. The layer still computes the same function.
void FoldLayer(const ModelConfig& config, const LayerInputs& inputs, FloatLayer* layer);

}  // namespace edgegate
