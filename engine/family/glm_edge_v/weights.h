// The weights of GLM-Edge-V's tower and adapter in the layout that the encoder computes in. Views:
// see MediaWeights. The adapter's linear layers have a residual (ops/linear/int8_residual).
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

// A layer of the tower. The layers of a tower are INT8, either all with a residual or all without.
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
  Linear linear;  // from here on the decoder's width
  LayerNormWeights adapter_norm;
  Linear gate_up;  // in the order of DecoderLayerWeights::gate_up
  Linear down;
  const float* first_row = nullptr;  // [text hidden]: boi
  const float* last_row = nullptr;   // eoi

  std::unique_ptr<MediaEncoder> MakeEncoder(const ModelConfig& config,
                                            const MediaEncoderOptions& options) const override;
};

// From a bundle, whose reader remembers the first tensor that is missing or misshapen.
Weights Load(const Config& config, int text_size, BundleReader* bundle);

}  // namespace edgegate::glm_edge_v
