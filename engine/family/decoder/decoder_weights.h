// The weights of a model in the layout that the engine computes in. Views only: the memory
// belongs to a packed bundle that is mapped (weights/bundle.h) or to an arena of random weights
// (bench --shape), and must outlive every user.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/model/model_config.h"
#include "engine/model/weight_format.h"
#include "engine/ops/linear/linear.h"

namespace edgegate {

struct EmbeddingTable {
  EmbeddingType type = EmbeddingType::kF32;
  const void* data = nullptr;  // [vocab_size][hidden_size], row-major, not padded
};

// INT8 or, in narrow models, fine; or of 4 bits, as DecoderWeights::format says.
struct DecoderLayerWeights {
  const float* attention_norm = nullptr;  // [hidden_size]
  Linear qkv;                             // n = q_size + 2 * kv_size: q rows, k rows, v rows
  const float* q_norm = nullptr;          // [head_dim] when config.qk_norm
  const float* k_norm = nullptr;          // [head_dim] when config.qk_norm
  Linear o;                               // k = q_size, n = hidden_size
  const float* mlp_norm = nullptr;        // [hidden_size]
  // n = 2 * intermediate padded to 64: the 64-column blocks alternate gate, up, gate, up, ...
  // Column n of the pair is gate or up row (n / 128 * 64 + n % 64); rows past intermediate_size
  // are zero.
  Linear gate_up;
  Linear down;  // k = intermediate_size, n = hidden_size
};

struct LayerNormWeights {
  const float* weight = nullptr;  // [columns]
  const float* bias = nullptr;    // [columns]
};

// Towers alike; the adapter is always fine.
struct VisionLayerWeights {
  LayerNormWeights norm1;
  Linear q;
  Linear kv;  // n = 2 * hidden: k rows, v rows
  Linear out;
  LayerNormWeights norm2;
  Linear fc1;
  Linear fc2;
};

struct VisionWeights {
  Linear patch;                      // k = 3 * patch * patch: channel, row, column
  const float* positions = nullptr;  // [patches][hidden]
  std::vector<VisionLayerWeights> layers;
  LayerNormWeights post_norm;
  Linear conv;    // k = 4 * hidden: the four patches of a 2x2 square, row by row
  Linear linear;  // from here on the text model's width
  LayerNormWeights adapter_norm;
  Linear gate_up;  // as DecoderLayerWeights has it
  Linear down;
  const float* first_row = nullptr;  // [text hidden]: boi
  const float* last_row = nullptr;   // eoi
};

struct DecoderWeights {
  ModelConfig config;
  WeightFormat format = WeightFormat::kInt8;  // of `layers`
  EmbeddingTable embedding;
  std::vector<DecoderLayerWeights> layers;
  const float* final_norm = nullptr;  // [hidden_size]
  Linear lm_head;                     // n = vocab_size; INT8 or fine, whatever the format
  VisionWeights vision;               // where config.vision is set
};

}  // namespace edgegate
