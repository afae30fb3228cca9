// The weights of GLM-Edge-V's tower and adapter in the layout that the encoder computes in. They
// are views: see MediaWeights. The adapter's linear layers are INT16
// (ops/linear/int16).
#pragma once

#include <memory>
#include <vector>

#include "engine/family/glm_edge_v/config.h"
#include "engine/family/media_family.h"
#include "engine/ops/linear/linear.h"
#include "engine/weights/bundle_reader.h"

namespace edgegate::glm_edge_v {

struct LayerNormWeights {
  const float* weight = nullptr;  // [columns]
  const float* bias = nullptr;    // [columns]
};

// The weights of a layer of the tower. The linear layers of a tower are all INT16, or all
// INT8.
struct LayerWeights {
  LayerNormWeights norm1;
  Linear q;
  Linear kv;  // n = 2 * hidden: k rows, v rows
  Linear out;
  LayerNormWeights norm2;
  Linear fc1;
  Linear fc2;
};

struct Weights : MediaWeights {
  Linear patch;                      // k = 3 * patch * patch: channel, row, column
  const float* positions = nullptr;  // [patches][hidden]
  std::vector<LayerWeights> layers;
  LayerNormWeights post_norm;
  Linear conv;    // k = 4 * hidden: the four patches of a 2x2 square, row by row
  Linear linear;  // this and the later members have the decoder's width
  LayerNormWeights adapter_norm;
  Linear gate_up;  // in the order of DecoderLayerWeights::gate_up
  Linear down;
  const float* first_row = nullptr;  // [text hidden]: begin of image
  const float* last_row = nullptr;   // [text hidden]: end of image

  std::unique_ptr<MediaEncoder> MakeEncoder(const ModelConfig& config,
                                            const MediaEncoderOptions& options) const override;
};

// Returns views of the tensors of a bundle. `bundle` stores the first error: a tensor is missing or
// has another size.
Weights Load(const Config& config, int text_size, BundleReader* bundle);

}  // namespace edgegate::glm_edge_v
