#include "engine/family/decoder/decoder_weights.h"

namespace edgegate {
namespace {

DecoderLayerWeights LoadLayer(const ModelConfig& c, int index, BundleReader* bundle) {
  const std::string prefix = fmt::format("layers.{}.", index);
  DecoderLayerWeights w;
  w.attention_norm = bundle->Floats(prefix + "attention_norm", c.hidden_size);
  w.mlp_norm = bundle->Floats(prefix + "mlp_norm", c.hidden_size);
  w.qkv = bundle->OfFormat(prefix + "qkv", c.q_size() + 2 * c.kv_size(), c.hidden_size, c.qkv_bias);
  w.o = bundle->OfFormat(prefix + "o", c.hidden_size, c.q_size(), c.o_bias);
  const int padded = Int8Padded(c.intermediate_size);
  w.gate_up = bundle->OfFormat(prefix + "gate_up", 2 * padded, c.hidden_size, c.mlp_bias);
  w.down = bundle->OfFormat(prefix + "down", c.hidden_size, c.intermediate_size, c.mlp_bias);
  if (c.qk_norm) {
    w.q_norm = bundle->Floats(prefix + "q_norm", c.head_dim);
    w.k_norm = bundle->Floats(prefix + "k_norm", c.head_dim);
  }
  return w;
}

}  // namespace

DecoderWeights LoadDecoder(const BundleInfo& info, BundleReader* bundle) {
  DecoderWeights weights;
  const ModelConfig& c = weights.config = info.config;
  const int64_t h = c.hidden_size;
  const int64_t value_bytes = info.embedding_type == EmbeddingType::kF32 ? 4 : 2;
  weights.format = info.format;
  weights.embedding = {info.embedding_type,
                       bundle->Find("embedding", c.vocab_size * h * value_bytes)};
  weights.final_norm = bundle->Floats("final_norm", h);
  weights.state_norm = bundle->Floats("state_norm", h);
  weights.lm_head = bundle->OfAnyFormat("lm_head", c.vocab_size, c.hidden_size, false);
  for (int i = 0; i < c.num_layers && bundle->status().ok(); ++i) {
    weights.layers.push_back(LoadLayer(c, i, bundle));
  }
  return weights;
}

}  // namespace edgegate
