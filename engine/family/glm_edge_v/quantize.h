// Writes the vision part of a bundle: the tower and the adapter, calibrated on a drawn image.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/base/status.h"
#include "engine/family/glm_edge_v/config.h"
#include "engine/family/glm_edge_v/tensors.h"
#include "engine/weights/bundle_format.h"
#include "engine/weights/tensor_files.h"

namespace edgegate::glm_edge_v {

// The expected time of Quantize(), in the unit of quantize/work_sizes.h.
struct Work {
  double layer = 0;    // a layer of the tower
  double adapter = 0;  // the adapter
};
Work EstimateWork(const Config& config, int text_size);

// Writes the tensors. See MediaSource::Quantize(). The adapter's linear layers are INT16, and so
// are those of a tower of up to `narrow_width` columns.
Result<std::vector<float>> Quantize(const Config& config, int text_size, const TensorFiles& files,
                                    const Tensors& tensors, int narrow_width, BundleWriter* writer,
                                    const std::function<Status(double work)>& progress);

// Draws the image that calibrates the encoder, u8 [size][size][3]. It has edges, flat and shaded
// areas, fine texture, and the padding below a wide image.
std::vector<uint8_t> CalibrationImage(int size);

}  // namespace edgegate::glm_edge_v
