// Writes the two matrices that have a row for each token: the embedding and lm_head. Rows are read,
// converted and written a few at a time, in parallel.
#pragma once

#include <vector>

#include "engine/base/status.h"
#include "engine/family/model_source.h"
#include "engine/weights/bundle_format.h"

namespace edgegate {

Status WriteEmbedding(const ModelSource& source, BundleWriter* writer);

// Writes lm_head and the final norm. `hidden` [tokens][hidden_size] is the last layer's output in
// calibration. Reads lm_head twice: for its columns' maxima, and to pack it.
Status WriteHead(const ModelSource& source, const std::vector<float>& hidden, bool residual,
                 BundleWriter* writer);

}  // namespace edgegate
