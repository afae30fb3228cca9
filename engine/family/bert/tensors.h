// The table of BERT's tensors in the files of a published model.
#pragma once

#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/family/bert/config.h"
#include "engine/weights/tensor_files.h"

namespace edgegate::bert {

// A layer's tensors. Linear layers are [rows = outputs][cols = inputs].
struct LayerTensors {
  TensorSlice q, k, v, out, up, down;
  TensorSlice q_bias, k_bias, v_bias, out_bias, up_bias, down_bias;
  TensorSlice attention_norm, attention_norm_bias, mlp_norm, mlp_norm_bias;
};

struct Tensors {
  TensorSlice words, positions, token_type;  // token_type: the row of type 0
  TensorSlice norm, norm_bias;
  std::vector<LayerTensors> layers;
};

// Binds every tensor, with or without the prefix "bert.". Refuses tensors that are not bound and
// that could change embeddings. Errors are those of TensorFiles.
Result<Tensors> Bind(const Config& config, TensorFiles* files);

}  // namespace edgegate::bert
