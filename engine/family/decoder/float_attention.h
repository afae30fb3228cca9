// Causal attention in float32, for calibration. Vectors hold several positions or several channels.
// Each sum adds its terms in order, one after the other. So the bits do not depend on the
// instruction set or the number of threads.
#pragma once

#include <vector>

#include "engine/model/model_config.h"

namespace edgegate {

// Returns the softmax-weighted values of every query, [tokens][q_size], in parallel. `q` is
// [tokens][q_size]; `k` and `v` are [tokens][kv_size]. Each run of `sequence` tokens is a separate
// sequence.
std::vector<float> CausalAttention(const ModelConfig& config, const std::vector<float>& q,
                                   const std::vector<float>& k, const std::vector<float>& v,
                                   int sequence);

}  // namespace edgegate
