// The weights of a decoder in the layout that the engine computes in. They are views. The memory
// belongs to a mapped bundle (family/bundle.h) or to random weights (family/random_weights.h), and
// must outlive every user.
#pragma once

#include <memory>
#include <vector>

#include "engine/family/media_family.h"
#include "engine/model/embedding_type.h"
#include "engine/model/model_config.h"
#include "engine/ops/linear/linear.h"
#include "engine/ops/linear/weight_formats.h"
#include "engine/weights/bundle_reader.h"

namespace edgegate {

// The embedding table, as stored.
struct EmbeddingTable {
  EmbeddingType type = EmbeddingType::kF32;
  const void* data = nullptr;  // [vocab_size][hidden_size], row-major, not padded
};

// The weights of a layer. The linear layers have the format DecoderWeights::format.
struct DecoderLayerWeights {
  const float* attention_norm = nullptr;  // [hidden_size]
  Linear qkv;                             // n = q_size + 2 * kv_size: q rows, k rows, v rows
  const float* q_norm = nullptr;          // [head_dim] if config.qk_norm; otherwise null
  const float* k_norm = nullptr;          // [head_dim] if config.qk_norm; otherwise null
  Linear o;                               // k = q_size, n = hidden_size
  const float* mlp_norm = nullptr;        // [hidden_size]
  // n = 2 * intermediate_size padded to 64. The 64-column blocks alternate gate, up, gate, up, ...
  // Column n of the pair is gate or up row (n / 128 * 64 + n % 64). Rows from intermediate_size on
  // are zero.
  Linear gate_up;
  Linear down;  // k = intermediate_size, n = hidden_size
};

struct DecoderWeights {
  ModelConfig config;
  WeightFormat format = kWeightFormat<Int8Format>;  // of `layers`
  EmbeddingTable embedding;
  std::vector<DecoderLayerWeights> layers;
  // The last norm, [hidden_size]. `final_norm` is divided by the factors by which the columns of
  // lm_head are multiplied (SmoothQuant). `state_norm` is the model's own.
  const float* final_norm = nullptr;
  const float* state_norm = nullptr;
  Linear lm_head;                             // n = vocab_size
  std::shared_ptr<const MediaWeights> media;  // null where config.media is
};

// Returns views of the tensors of a bundle. `bundle` stores the first error: a tensor is missing or
// has another size. `media` is null.
DecoderWeights LoadDecoder(const BundleInfo& info, BundleReader* bundle);

}  // namespace edgegate
