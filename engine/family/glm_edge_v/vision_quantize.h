// The vision part of a packed bundle: the tower and the adapter, calibrated on a drawn picture.
#pragma once

#include <functional>
#include <vector>

#include "engine/base/status.h"
#include "engine/family/model_source.h"
#include "engine/weights/bundle_format.h"

namespace edgegate {

// Writes the tensors, layer by layer; `progress` is called after each layer, and its error ends
// the work. The adapter is fine (Linear), and so is a tower of up to `fine_width`. Gives the
// picture's rows, [rows][text hidden], for calibrating what comes after.
Result<std::vector<float>> WriteVision(const ModelSource& source, int fine_width,
                                       BundleWriter* writer,
                                       const std::function<Status()>& progress);

// The picture: edges, flat and shaded areas, fine texture, and the padding that a wide picture
// has below. [size][size][3], as PreparedPixels.
std::vector<uint8_t> CalibrationPicture(int size);

}  // namespace edgegate
