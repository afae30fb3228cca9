// A decoder layer in float32: calibration runs it, and the INT8 engine is tested against it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/status.h"
#include "engine/family/model_source.h"

namespace edgegate {

// A layer's weights as float, [rows = outputs][cols = inputs]. Biases and norms that the model
// lacks are empty.
struct FloatLayer {
  std::vector<float> attention_norm, mlp_norm, q_norm, k_norm;
  std::vector<float> q, k, v, o, gate, up, down;
  std::vector<float> q_bias, k_bias, v_bias, o_bias, gate_bias, up_bias, down_bias;
};

Result<FloatLayer> ReadFloatLayer(const ModelSource& source, int layer);
// Reads a layer. The memory of a layer that was read before is used again.
Status ReadFloatLayer(const ModelSource& source, int layer, FloatLayer* w);

// The inputs of the layer's four linear stages, [tokens][columns].
struct LayerInputs {
  std::vector<float> attention;  // of q, k and v: normalized
  std::vector<float> o;
  std::vector<float> mlp;  // of gate and up: normalized
  std::vector<float> down;
};

// Runs tokens through the layer: `hidden` [tokens][hidden_size] in place. Each `sequence` tokens
// are a sequence of their own, from position 0. 0: all are one sequence.
LayerInputs RunFloatLayer(const ModelConfig& config, const FloatLayer& w,
                          std::vector<float>* hidden, int sequence = 0);

// Embedding rows of `tokens`, [tokens][hidden_size].
Result<std::vector<float>> EmbedFloat(const ModelSource& source, std::span<const int32_t> tokens);

// Logits of every position, [tokens][vocab_size], in float32 throughout.
Result<std::vector<float>> FloatLogits(const ModelSource& source, std::span<const int32_t> tokens);

}  // namespace edgegate
