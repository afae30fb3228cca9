// A decoder layer in float32. Calibration runs it, and the INT8 engine is tested against it. The
// functions compute with the threads of ThreadPool::Current().
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/status.h"
#include "engine/family/model_source.h"

namespace edgegate {

// A layer's weights as float, [rows = outputs][cols = inputs]. Biases and norms that the model does
// not have are empty.
struct FloatLayer {
  std::vector<float> attention_norm, mlp_norm, q_norm, k_norm;
  std::vector<float> q, k, v, o, gate, up, down;
  std::vector<float> q_bias, k_bias, v_bias, o_bias, gate_bias, up_bias, down_bias;
};

Result<FloatLayer> ReadFloatLayer(const ModelSource& source, int layer);
// Read the weights of layer `layer`. The second function reuses the memory of `w`. Errors are those
// of ReadTensors().
Status ReadFloatLayer(const ModelSource& source, int layer, FloatLayer* w);

// The inputs of the layer's four linear stages, [tokens][columns].
struct LayerInputs {
  std::vector<float> attention;  // input of q, k and v: normalized
  std::vector<float> o;
  std::vector<float> mlp;  // input of gate and up: normalized
  std::vector<float> down;
};

// Runs tokens through the layer. `hidden`, [tokens][hidden_size], is replaced by the output. Each
// run of `sequence` tokens is a separate sequence, from position 0. If `sequence` is 0, all tokens
// are one sequence.
LayerInputs RunFloatLayer(const ModelConfig& config, const FloatLayer& w,
                          std::vector<float>* hidden, int sequence = 0);

// Returns the embedding rows of `tokens`, [tokens][hidden_size].
Result<std::vector<float>> EmbedFloat(const ModelSource& source, std::span<const int32_t> tokens);

// Returns the logits of every position, [tokens][vocab_size], computed in float32.
Result<std::vector<float>> FloatLogits(const ModelSource& source, std::span<const int32_t> tokens);

}  // namespace edgegate
