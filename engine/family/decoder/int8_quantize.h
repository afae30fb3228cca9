// Quantizes the linear layers of a decoder to INT8, with the smoothing factors of SmoothQuant
// (fold_layer.h).
#pragma once

#include "engine/family/decoder/layer_quantizer.h"

namespace edgegate {

// The function LayerQuantizer::write of WeightFormat::kInt8. Folds the smoothing factors into
// `weights`.
Status WriteInt8Layer(const LayerToQuantize& layer, FloatLayer* weights, BundleWriter* writer);

}  // namespace edgegate
