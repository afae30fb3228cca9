// The quantization of a decoder's layers. Formats that have a packer are smoothed and packed
// (pack_layer.h). Each other format has a file of its own (int4_quantize.h) and a row in
// layer_quantizer.cc.
#pragma once

#include <vector>

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
  MakeLinearPacker* packer;   // of the format; null if it has none
};

// The quantization of the layers and of lm_head in one format.
struct LayerQuantizer {
  int sequences;  // of the calibration text
  // Quantizes the layer and writes its norms and linear layers. May change `weights`.
  Status (*write)(const LayerToQuantize& layer, FloatLayer* weights, BundleWriter* writer);
  // Quantizes and writes lm_head. `inputs`, [tokens][hidden_size], is the output of the final norm.
  // `packer`: as above. May change `norm`, the weights of the final norm that the runner will use.
  Status (*write_head)(const ModelSource& source, const std::vector<float>& inputs,
                       MakeLinearPacker* packer, std::vector<float>* norm, BundleWriter* writer);
  // Return the expected time of a linear layer [rows][columns], and of the statistics that are
  // computed once for the inputs of linear layers with `columns` columns. The unit is that of
  // quantize/work_sizes.h.
  double (*linear_work)(double rows, double columns, double tokens);
  double (*statistics_work)(double columns, double tokens);
};

// Returns the quantizer of a format. It lives as long as the process.
const LayerQuantizer& QuantizerOf(WeightFormat format);

// Writes those of layers.INDEX.{attention_norm, mlp_norm, q_norm, k_norm} that the layer has.
void WriteNorms(const FloatLayer& weights, int index, BundleWriter* writer);

}  // namespace edgegate
