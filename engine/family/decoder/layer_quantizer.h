// The quantization of a decoder's layers, as a table with a row for each weight format. A new
// format needs a file, such as int8_quantize.cc, and a row.
#pragma once

#include "engine/base/status.h"
#include "engine/family/decoder/float_layer.h"
#include "engine/ops/linear/weight_formats.h"
#include "engine/weights/bundle_format.h"

namespace edgegate {

// The layer that is quantized, and its inputs.
struct LayerToQuantize {
  const ModelSource& source;
  int index;
  const LayerInputs& inputs;  // of the calibration text
  bool residual;              // kInt8: the linear layers have a residual
};

// A row of the table.
struct LayerQuantizer {
  WeightFormat format;
  int sequences;  // number of sequences of the calibration text
  // Quantizes the layer and writes its norms and linear layers. May change `weights`. `writer`
  // stores errors of writing. Other errors are those of reading.
  Status (*write)(const LayerToQuantize& layer, FloatLayer* weights, BundleWriter* writer);
  // Return the expected time of a linear layer [rows][columns], and of the statistics that are
  // computed once for the inputs of linear layers with `columns` columns. The unit is that of
  // quantize/work_sizes.h.
  double (*linear_work)(double rows, double columns, double tokens);
  double (*statistics_work)(double columns, double tokens);
};

// Returns the row of a format. Thread-safe.
const LayerQuantizer& QuantizerOf(WeightFormat format);

// Writes those of layers.INDEX.{attention_norm, mlp_norm, q_norm, k_norm} that the layer has.
void WriteNorms(const FloatLayer& weights, int index, BundleWriter* writer);

}  // namespace edgegate
