// Packs a BERT encoder to a bundle. Every linear layer is INT16 (ops/linear/int16),
// whatever its width: an embedding is compared with others, and its error must be small. So no
// calibration is needed.
#pragma once

#include <functional>

#include "engine/family/bert/tensors.h"
#include "engine/weights/bundle_format.h"

namespace edgegate::bert {

// Returns the work of Quantize(), in the unit of quantize/work_sizes.h.
double EstimateWork(const Config& config);

// See TextEncoderSource::Quantize().
Status Quantize(const Config& config, const TensorFiles& files, const Tensors& tensors,
                BundleWriter* writer, const std::function<Status(double work)>& progress);

}  // namespace edgegate::bert
