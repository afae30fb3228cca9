// Causal attention in float32, for calibration. Vectors hold several positions or several channels.
// Each sum adds its terms in order, one after the other. So the bits depend neither on the
// instruction set nor on the number of threads.
#pragma once

#include <vector>

#include "engine/model/model_config.h"

namespace edgegate {

// Softmax-weighted values of every query: [tokens][q_size]. `q` [tokens][q_size]; `k` and `v`
// [tokens][kv_size]. Each `sequence` tokens are a sequence of their own. In parallel.
std::vector<float> CausalAttention(const ModelConfig& config, const std::vector<float>& q,
                                   const std::vector<float>& k, const std::vector<float>& v,
                                   int sequence);

}  // namespace edgegate
