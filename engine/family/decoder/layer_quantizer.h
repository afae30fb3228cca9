// The quantization of a decoder's layers. Formats that have a packer are smoothed and packed
// (pack_layer.h). Each other format has a file of its own (int4_quantize.h) and a row in
// layer_quantizer.cc.
#pragma once

#include "engine/base/status.h"
#include "engine/family/decoder/float_layer.h"
#include "engine/ops/linear/weight_formats.h"
#include "engine/weights/bundle_format.h"

namespace edgegate {

// A layer that is quantized.
struct LayerToQuantize {
  const ModelSource& source;
  int index;
  const LayerInputs& inputs;  // of the calibration text
  MakeLinearPacker* packer;   // of the format; null if it has none
};

struct LayerQuantizer {
  int sequences;  // of the calibration text
  // Quantizes the layer and writes its norms and linear layers. May change `weights`.
  Status (*write)(const LayerToQuantize& layer, FloatLayer* weights, BundleWriter* writer);
  // The expected time of a linear layer [rows][columns], and of what is learned once from the
  // inputs of linear layers with `columns` columns. In the unit of quantize/work_sizes.h.
  double (*linear_work)(double rows, double columns, double tokens);
  double (*learn_work)(double columns, double tokens);
};

// Lives as long as the process.
const LayerQuantizer& QuantizerOf(WeightFormat format);

// Writes layers.INDEX.{attention_norm, mlp_norm, q_norm, k_norm}, those that the layer has.
void WriteNorms(const FloatLayer& weights, int index, BundleWriter* writer);

}  // namespace edgegate
