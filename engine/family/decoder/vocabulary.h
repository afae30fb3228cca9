// Writes the two matrices that have a row for each token: the embedding and lm_head. Rows are read,
// converted and written a few at a time, in parallel. Errors are those of TensorFiles::ReadRows().
// The writer stores errors of writing.
#pragma once

#include <vector>

#include "engine/base/status.h"
#include "engine/family/model_source.h"
#include "engine/ops/linear/weight_formats.h"
#include "engine/weights/bundle_format.h"

namespace edgegate {

// Writes the embedding in the type DecoderTensors::embedding_type().
Status WriteEmbedding(const ModelSource& source, BundleWriter* writer);

// Writes lm_head and the final norm. `hidden`, [tokens][hidden_size], is the output of the last
// layer in calibration. `format` is that of lm_head. `narrow`: its format for narrow models.
Status WriteHead(const ModelSource& source, const std::vector<float>& hidden, WeightFormat format,
                 bool narrow, BundleWriter* writer);

// The function LayerQuantizer::write_head of formats that have a packer. Reads lm_head twice: for
// the maxima of its columns, and to pack it.
Status PackHead(const ModelSource& source, const std::vector<float>& inputs,
                MakeLinearPacker* make_packer, std::vector<float>* norm, BundleWriter* writer);

}  // namespace edgegate
