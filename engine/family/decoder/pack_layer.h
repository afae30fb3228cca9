// Packs the linear layers of a decoder with the packer of their format, after the smoothing of
// SmoothQuant (fold_layer.h).
#pragma once

#include "engine/family/decoder/layer_quantizer.h"

namespace edgegate {

// LayerQuantizer::write of formats that have a packer. Folds the smoothing factors into `weights`.
Status PackLayer(const LayerToQuantize& layer, FloatLayer* weights, BundleWriter* writer);

}  // namespace edgegate
