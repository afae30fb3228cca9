// The table of tensors of GLM-Edge-V's tower and adapter. The kernels of a convolution are
// flattened to rows, in the stored order.
#pragma once

#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/family/glm_edge_v/config.h"
#include "engine/family/media_family.h"
#include "engine/weights/tensor_files.h"

namespace edgegate::glm_edge_v {

// The tensors of a layer of the tower.
struct LayerTensors {
  TensorSlice norm1, norm1_bias, norm2, norm2_bias;
  TensorSlice q, k, v, out, fc1, fc2;
  TensorSlice q_bias, k_bias, v_bias, out_bias, fc1_bias, fc2_bias;
};

struct Tensors {
  TensorSlice patch, patch_bias, positions;
  std::vector<LayerTensors> layers;
  TensorSlice post_norm, post_norm_bias;
  // The adapter:
  TensorSlice conv, conv_bias, linear, adapter_norm, adapter_norm_bias;
  TensorSlice gate, up, down;
  TensorSlice first_row, last_row;  // begin and end of image
};

// Binds all tensors. `text_size` is the decoder's hidden_size. Errors are those of TensorFiles.
Result<Tensors> Bind(const Config& config, int text_size, MediaFamily::FileKind kind,
                     TensorFiles* files);

// Returns the width of the adapter's gated layer, read from its tensor. 0: the tensor is missing.
int AdapterSize(const TensorFiles& files, MediaFamily::FileKind kind);

// True if an unbound tensor has no effect on answers: SigLIP's pooling head, which GLM-Edge-V does
// not use, and a table of the numbers 0, 1, 2 ...
bool IsIgnored(const std::string& name);

}  // namespace edgegate::glm_edge_v
