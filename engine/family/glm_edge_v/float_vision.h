// The vision tower and its adapter in float32: what calibration watches, and the reference that
// the INT8 encoder is tested against.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/status.h"
#include "engine/family/model_source.h"

namespace edgegate {

// One layer's weights as float, [rows = outputs][cols = inputs].
struct FloatVisionLayer {
  std::vector<float> norm1, norm1_bias, norm2, norm2_bias;
  std::vector<float> q, k, v, out, fc1, fc2;
  std::vector<float> q_bias, k_bias, v_bias, out_bias, fc1_bias, fc2_bias;
};

Result<FloatVisionLayer> ReadFloatVisionLayer(const ModelSource& source, int layer);
// The same, to a layer of the same model whose memory is used again, or to an empty one.
Status ReadFloatVisionLayer(const ModelSource& source, int layer, FloatVisionLayer* w);

// The inputs of the layer's linear stages, [patches][columns].
struct VisionLayerInputs {
  std::vector<float> attention;  // of q, k and v: normalized
  std::vector<float> out;
  std::vector<float> fc1;  // normalized
};

// Runs a picture's patches through the layer: `hidden` [patches][hidden_size] in place.
VisionLayerInputs RunFloatVisionLayer(const VisionConfig& config, const FloatVisionLayer& w,
                                      std::vector<float>* hidden);

// What stands around the layers. The convolution's columns are in the encoder's order
// (decoder_weights.h).
struct FloatAdapter {
  std::vector<float> post_norm, post_norm_bias;
  std::vector<float> conv, conv_bias;
  std::vector<float> linear, norm, norm_bias;
  std::vector<float> gate, up, down;
  std::vector<float> first_row, last_row;
};

Result<FloatAdapter> ReadFloatAdapter(const ModelSource& source);

struct AdapterInputs {
  std::vector<float> conv;    // [rows - 2][4 * vision hidden]
  std::vector<float> linear;  // [rows - 2][text hidden], as the next one
  std::vector<float> gate_up;
  std::vector<float> down;  // [rows - 2][adapter_size]
};

// The picture's rows, [rows][text hidden], from what the last layer gave.
std::vector<float> RunFloatAdapter(const VisionConfig& config, int text_size, const FloatAdapter& w,
                                   const std::vector<float>& hidden, AdapterInputs* inputs);

// Patches times their convolution, plus the positions: [patches][hidden_size]. `pixels` as
// PreparedPixels.
Result<std::vector<float>> EmbedPatchesFloat(const ModelSource& source,
                                             const std::vector<uint8_t>& pixels);

// All of it: a picture's rows in float32 throughout.
Result<std::vector<float>> FloatImageRows(const ModelSource& source,
                                          const std::vector<uint8_t>& pixels);

// (x - mean) / sqrt(variance + eps) * weight + bias for each row of `columns`.
std::vector<float> LayerNormFloat(const std::vector<float>& x, const std::vector<float>& weight,
                                  const std::vector<float>& bias, int columns, float eps);

}  // namespace edgegate
