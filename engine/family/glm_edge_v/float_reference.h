// GLM-Edge-V's tower and adapter in float32. Calibration runs them, and the INT8 encoder is tested
// against them. The functions compute with the threads of ThreadPool::Current().
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/status.h"
#include "engine/family/glm_edge_v/config.h"
#include "engine/family/glm_edge_v/tensors.h"
#include "engine/weights/tensor_files.h"

namespace edgegate::glm_edge_v {

// One layer's weights as float, [rows = outputs][cols = inputs].
struct FloatLayer {
  std::vector<float> norm1, norm1_bias, norm2, norm2_bias;
  std::vector<float> q, k, v, out, fc1, fc2;
  std::vector<float> q_bias, k_bias, v_bias, out_bias, fc1_bias, fc2_bias;
};

// Reads the weights of a layer. Reuses the memory of `w`. Errors are those of ReadTensors().
Status ReadLayer(const TensorFiles& files, const LayerTensors& tensors, FloatLayer* w);

// The inputs of the layer's linear stages, [patches][columns].
struct LayerInputs {
  std::vector<float> attention;  // input of q, k and v: normalized
  std::vector<float> out;
  std::vector<float> fc1;  // normalized
};

// Runs an image's patches through the layer. `hidden`, [patches][hidden_size], is replaced by the
// output.
LayerInputs RunLayer(const Config& config, const FloatLayer& w, std::vector<float>* hidden);

// The weights of the adapter, and of the norm before it. The convolution's columns have the
// encoder's order (weights.h).
struct FloatAdapter {
  std::vector<float> post_norm, post_norm_bias;
  std::vector<float> conv, conv_bias;
  std::vector<float> linear, norm, norm_bias;
  std::vector<float> gate, up, down;
  std::vector<float> first_row, last_row;
};

Result<FloatAdapter> ReadAdapter(const TensorFiles& files, const Tensors& tensors);

// The inputs of the adapter's linear stages.
struct AdapterInputs {
  std::vector<float> conv;    // [rows - 2][4 * vision hidden]
  std::vector<float> linear;  // [rows - 2][text hidden]; gate_up too
  std::vector<float> gate_up;
  std::vector<float> down;  // [rows - 2][adapter_size]
};

// Returns the image's rows, [rows][text hidden], computed from the output of the last layer. Sets
// `inputs`.
std::vector<float> RunAdapter(const Config& config, int text_size, const FloatAdapter& w,
                              const std::vector<float>& hidden, AdapterInputs* inputs);

// Returns patches times their convolution, plus the positions: [patches][hidden_size]. `pixels` is
// u8 [canvas][canvas][3].
Result<std::vector<float>> EmbedPatches(const Config& config, const TensorFiles& files,
                                        const Tensors& tensors, const std::vector<uint8_t>& pixels);

// Returns an image's rows, [rows][text_size], computed by the whole encoder in float32.
Result<std::vector<float>> ImageRows(const Config& config, int text_size, const TensorFiles& files,
                                     const Tensors& tensors, const std::vector<uint8_t>& pixels);

}  // namespace edgegate::glm_edge_v
