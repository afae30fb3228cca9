#include "engine/family/decoder/decoder_tensors.h"

namespace edgegate {
namespace {

std::string NameOf(const char* pattern, int layer) {
  return fmt::format(fmt::runtime(pattern), layer);
}

// Binds the tensors of one layer.
class LayerBinder {
 public:
  LayerBinder(const ModelConfig& config, const DecoderTensorNames& names, int layer,
              TensorFiles* files)
      : c_(config), n_(names), layer_(layer), files_(files) {}

  Status Bind(DecoderLayerTensors* t) const {
    const int64_t h = c_.hidden_size;
    EG_RETURN_IF_ERROR(Vector(n_.attention_norm, h, &t->attention_norm));
    EG_RETURN_IF_ERROR(Vector(n_.mlp_norm, h, &t->mlp_norm));
    EG_RETURN_IF_ERROR(BindAttention(t));
    EG_RETURN_IF_ERROR(BindAttentionBiases(t));
    return BindMlp(t);
  }

 private:
  Status BindAttention(DecoderLayerTensors* t) const {
    const int64_t q = c_.q_size(), kv = c_.kv_size(), all = q + 2 * kv, h = c_.hidden_size;
    if (Has(n_.qkv)) {
      EG_RETURN_IF_ERROR(Rows(n_.qkv, 0, q, all, h, &t->q));
      EG_RETURN_IF_ERROR(Rows(n_.qkv, q, kv, all, h, &t->k));
      EG_RETURN_IF_ERROR(Rows(n_.qkv, q + kv, kv, all, h, &t->v));
    } else {
      EG_RETURN_IF_ERROR(Rows(n_.q, 0, q, q, h, &t->q));
      EG_RETURN_IF_ERROR(Rows(n_.k, 0, kv, kv, h, &t->k));
      EG_RETURN_IF_ERROR(Rows(n_.v, 0, kv, kv, h, &t->v));
    }
    EG_RETURN_IF_ERROR(Rows(n_.o, 0, h, h, q, &t->o));
    if (!c_.qk_norm) return {};
    EG_RETURN_IF_ERROR(Vector(n_.q_norm, c_.head_dim, &t->q_norm));
    return Vector(n_.k_norm, c_.head_dim, &t->k_norm);
  }

  Status BindAttentionBiases(DecoderLayerTensors* t) const {
    const int64_t q = c_.q_size(), kv = c_.kv_size(), all = q + 2 * kv;
    if (c_.qkv_bias && Has(n_.qkv_bias)) {
      EG_RETURN_IF_ERROR(Vector(n_.qkv_bias, q, &t->q_bias, 0, all));
      EG_RETURN_IF_ERROR(Vector(n_.qkv_bias, kv, &t->k_bias, q, all));
      EG_RETURN_IF_ERROR(Vector(n_.qkv_bias, kv, &t->v_bias, q + kv, all));
    } else if (c_.qkv_bias) {
      EG_RETURN_IF_ERROR(Vector(n_.q_bias, q, &t->q_bias));
      EG_RETURN_IF_ERROR(Vector(n_.k_bias, kv, &t->k_bias));
      EG_RETURN_IF_ERROR(Vector(n_.v_bias, kv, &t->v_bias));
    }
    return c_.o_bias ? Vector(n_.o_bias, c_.hidden_size, &t->o_bias) : Status();
  }

  Status BindMlp(DecoderLayerTensors* t) const {
    const int64_t h = c_.hidden_size, f = c_.intermediate_size;
    if (n_.gate_up) {
      EG_RETURN_IF_ERROR(Rows(n_.gate_up, 0, f, 2 * f, h, &t->gate));
      EG_RETURN_IF_ERROR(Rows(n_.gate_up, f, f, 2 * f, h, &t->up));
    } else {
      EG_RETURN_IF_ERROR(Rows(n_.gate, 0, f, f, h, &t->gate));
      EG_RETURN_IF_ERROR(Rows(n_.up, 0, f, f, h, &t->up));
    }
    EG_RETURN_IF_ERROR(Rows(n_.down, 0, h, h, f, &t->down));
    if (!c_.mlp_bias) return {};
    EG_RETURN_IF_ERROR(Vector(n_.gate_bias, f, &t->gate_bias));
    EG_RETURN_IF_ERROR(Vector(n_.up_bias, f, &t->up_bias));
    return Vector(n_.down_bias, h, &t->down_bias);
  }

  bool Has(const char* pattern) const {
    return pattern != nullptr && files_->Has(NameOf(pattern, layer_));
  }
  Status Rows(const char* pattern, int64_t row, int64_t rows, int64_t total, int64_t cols,
              TensorSlice* slice) const {
    return files_->BindRows(NameOf(pattern, layer_), row, rows, total, cols, slice);
  }
  Status Vector(const char* pattern, int64_t size, TensorSlice* slice, int64_t start = 0,
                int64_t total = 0) const {
    return files_->BindVector(NameOf(pattern, layer_), size, slice, start, total);
  }

  const ModelConfig& c_;
  const DecoderTensorNames& n_;
  const int layer_;
  TensorFiles* const files_;
};

}  // namespace

EmbeddingType DecoderTensors::embedding_type() const {
  switch (embedding.type()) {
    case TensorType::kF32:
      return EmbeddingType::kF32;
    case TensorType::kBf16:
      return EmbeddingType::kBf16;
    default:
      return EmbeddingType::kF16;
  }
}

Result<DecoderTensors> BindDecoder(const ModelConfig& config, const DecoderTensorNames& names,
                                   TensorFiles* files) {
  const int64_t v = config.vocab_size, h = config.hidden_size;
  DecoderTensors tensors;
  EG_RETURN_IF_ERROR(files->BindMatrix(names.embedding, v, h, &tensors.embedding));
  EG_RETURN_IF_ERROR(files->BindVector(names.final_norm, h, &tensors.final_norm));
  const bool own_head = files->Has(names.lm_head);
  if (!own_head && !config.tied_lm_head) return DataLoss("tensor {} is missing", names.lm_head);
  EG_RETURN_IF_ERROR(
      files->BindMatrix(own_head ? names.lm_head : names.embedding, v, h, &tensors.lm_head));
  for (int layer = 0; layer < config.num_layers; ++layer) {
    EG_RETURN_IF_ERROR(
        LayerBinder(config, names, layer, files).Bind(&tensors.layers.emplace_back()));
  }
  return tensors;
}

bool IsIgnoredByDecoder(const std::string& name, const ModelConfig& config,
                        const DecoderTensorNames& names) {
  if (name.ends_with("rotary_emb.inv_freq") || name == "rope_freqs.weight") return true;
  const std::string pattern = names.attention_norm;
  const std::string prefix = pattern.substr(0, pattern.find("{}"));
  if (!name.starts_with(prefix)) return false;
  const std::string number =
      name.substr(prefix.size(), name.find('.', prefix.size()) - prefix.size());
  const bool digits = !number.empty() && number.size() < 6 &&
                      number.find_first_not_of("0123456789") == std::string::npos;
  return digits && std::stoi(number) >= config.num_layers;
}

}  // namespace edgegate
