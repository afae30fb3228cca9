// BERT in float32. The INT8 encoder is tested against it. The functions compute with the threads of
// ThreadPool::Current().
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/status.h"
#include "engine/family/bert/tensors.h"

namespace edgegate::bert {

// One layer's weights as float, [rows = outputs][cols = inputs].
struct FloatLayer {
  std::vector<float> q, k, v, out, up, down;
  std::vector<float> q_bias, k_bias, v_bias, out_bias, up_bias, down_bias;
  std::vector<float> attention_norm, attention_norm_bias, mlp_norm, mlp_norm_bias;
};

// Reads the weights of a layer. Reuses the memory of `w`. Errors are those of ReadTensors().
Status ReadLayer(const TensorFiles& files, const LayerTensors& tensors, FloatLayer* w);

// Runs the tokens of one text through the layer. `hidden`, [tokens][hidden_size], is replaced by
// the output.
void RunLayer(const Config& config, const FloatLayer& w, std::vector<float>* hidden);

// Returns the embedding of one text, [hidden_size]. Errors are those of ReadTensors().
Result<std::vector<float>> EmbedText(const Config& config, const TensorFiles& files,
                                     const Tensors& tensors, const std::vector<int32_t>& tokens);

}  // namespace edgegate::bert
