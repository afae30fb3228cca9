// The weights of a BERT encoder in a bundle. Tensors: encoder.{words, positions}, encoder.norm.*,
// encoder.layers.N.{qkv, out, up, down} (INT16) and
// encoder.layers.N.{attention_norm, mlp_norm}.{weight, bias}. The row of token type 0 is added to
// the positions.
#pragma once

#include <memory>
#include <vector>

#include "engine/family/bert/config.h"
#include "engine/ops/linear/linear.h"

namespace edgegate::bert {

// A view of [columns] weights and biases.
struct LayerNormWeights {
  const float* weight = nullptr;
  const float* bias = nullptr;
};

struct LayerWeights {
  Linear qkv;  // n = 3 * hidden_size: rows of q, k, v
  Linear out;
  LayerNormWeights attention_norm;
  Linear up, down;
  LayerNormWeights mlp_norm;
};

struct Weights : TextEncoderWeights {
  std::shared_ptr<const Config> c;
  const float* words = nullptr;      // [vocabulary][hidden_size]
  const float* positions = nullptr;  // [positions][hidden_size]
  LayerNormWeights norm;
  std::vector<LayerWeights> layers;

  const TextEncoderConfig& config() const override { return *c; }
  std::unique_ptr<TextEncoder> MakeEncoder(const TextEncoderOptions& options) const override;
};

// Returns views of the weights. `bundle` stores the first error.
std::shared_ptr<const Weights> Load(std::shared_ptr<const Config> config, BundleReader* bundle);

}  // namespace edgegate::bert
