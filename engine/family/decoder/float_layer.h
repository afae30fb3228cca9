// A decoder layer in float32: what calibration watches, and the reference that the INT8 engine is
// tested against.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/status.h"
#include "engine/family/model_source.h"

namespace edgegate {

// One layer's weights as float, [rows = outputs][cols = inputs]; biases and norms that the model
// lacks are empty.
struct FloatLayer {
  std::vector<float> attention_norm, mlp_norm, q_norm, k_norm;
  std::vector<float> q, k, v, o, gate, up, down;
  std::vector<float> q_bias, k_bias, v_bias, o_bias, gate_bias, up_bias, down_bias;
};

Result<FloatLayer> ReadFloatLayer(const ModelSource& source, int layer);
// The same, to a layer of the same model whose memory is used again, or to an empty one.
Status ReadFloatLayer(const ModelSource& source, int layer, FloatLayer* w);

// The inputs of the layer's four linear stages, [tokens][columns].
struct LayerInputs {
  std::vector<float> attention;  // of q, k and v: normalized
  std::vector<float> o;
  std::vector<float> mlp;  // of gate and up: normalized
  std::vector<float> down;
};

// Runs tokens through the layer: `hidden` [tokens][hidden_size] in place. Each `sequence` of them
// are a sequence of their own, from position 0; 0: all are one.
LayerInputs RunFloatLayer(const ModelConfig& config, const FloatLayer& w,
                          std::vector<float>* hidden, int sequence = 0);

// Embedding rows of `tokens`, [tokens][hidden_size].
Result<std::vector<float>> EmbedFloat(const ModelSource& source, std::span<const int32_t> tokens);

// x / sqrt(mean(x^2) + eps) * weight for each row of `columns`.
std::vector<float> RmsNormFloat(const std::vector<float>& x, const std::vector<float>& weight,
                                int columns, float eps);

// out[m][n] = x[m][k] . w[n][k] + bias[n]; an empty bias is none.
std::vector<float> LinearFloat(const std::vector<float>& x, const std::vector<float>& w, int n,
                               int k, const std::vector<float>& bias);

// Logits of every position, [tokens][vocab_size], in float32 throughout.
Result<std::vector<float>> FloatLogits(const ModelSource& source, std::span<const int32_t> tokens);

}  // namespace edgegate
