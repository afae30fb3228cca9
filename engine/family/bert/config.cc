#include "engine/family/bert/config.h"

#include <nlohmann/json.hpp>

#include "engine/model/model_config.h"
#include "engine/weights/bundle_json.h"
#include "engine/weights/json_keys.h"

namespace edgegate::bert {
namespace {

Status Validate(const Config& c) {
  EG_RETURN_IF_ERROR(CheckRange("vocab_size", c.vocabulary, 1, 1 << 22));
  EG_RETURN_IF_ERROR(CheckRange("hidden_size", c.hidden_size, 1, 1 << 14));
  EG_RETURN_IF_ERROR(CheckRange("intermediate_size", c.intermediate_size, 1, 1 << 16));
  EG_RETURN_IF_ERROR(CheckRange("num_hidden_layers", c.num_layers, 1, 1024));
  EG_RETURN_IF_ERROR(CheckRange("num_attention_heads", c.num_heads, 1, 1024));
  EG_RETURN_IF_ERROR(CheckRange("max_position_embeddings", c.positions, 1, 1 << 16));
  EG_RETURN_IF_ERROR(CheckRange("type_vocab_size", c.token_types, 1, 1 << 16));
  EG_RETURN_IF_ERROR(CheckRange("max_seq_length", c.embedding.max_tokens, 1, c.positions));
  if (c.hidden_size % c.num_heads != 0) {
    return InvalidArgument("hidden_size is {}: must be a multiple of num_attention_heads ({})",
                           c.hidden_size, c.num_heads);
  }
  EG_RETURN_IF_ERROR(CheckRange("head_dim", c.head_dim(), 1, 1024));
  if (!(c.layer_norm_eps >= 0 && c.layer_norm_eps < 1)) {
    return InvalidArgument("layer_norm_eps is {}: must be between 0 and 1", c.layer_norm_eps);
  }
  return {};
}

Result<Activation> ParseActivation(const std::string& name) {
  if (name == "gelu") return Activation::kGeluErf;
  if (name == "gelu_new" || name == "gelu_pytorch_tanh") return Activation::kGeluTanh;
  return Unimplemented("hidden_act \"{}\" is not supported", name);
}

}  // namespace

std::string Config::ToJson() const {
  const nlohmann::json json = {
      {"family", kFamily},
      {"vocab_size", vocabulary},
      {"hidden_size", hidden_size},
      {"intermediate_size", intermediate_size},
      {"num_layers", num_layers},
      {"num_heads", num_heads},
      {"positions", positions},
      {"token_types", token_types},
      {"layer_norm_eps", layer_norm_eps},
      {"activation", activation == Activation::kGeluErf ? "gelu" : "gelu_new"},
      {"embedding", nlohmann::json::parse(EmbeddingToJson(embedding))}};
  return json.dump();
}

Result<Config> ParseHfConfig(const Json& json, const EmbeddingConfig& embedding) {
  const std::string kind = json["position_embedding_type"].String().value_or("absolute");
  if (kind != "absolute") {
    return Unimplemented("position_embedding_type \"{}\" is not supported", kind);
  }
  if (json["is_decoder"].Bool().value_or(false)) {
    return Unimplemented("is_decoder is true: only encoders are supported");
  }
  JsonKeys keys(json);
  Config c;
  c.vocabulary = keys.Int("vocab_size", 30522);
  c.hidden_size = keys.Int("hidden_size", 768);
  c.intermediate_size = keys.Int("intermediate_size", 3072);
  c.num_layers = keys.Int("num_hidden_layers", 12);
  c.num_heads = keys.Int("num_attention_heads", 12);
  c.positions = keys.Int("max_position_embeddings", 512);
  c.token_types = keys.Int("type_vocab_size", 2);
  c.layer_norm_eps = static_cast<float>(keys.Number("layer_norm_eps", 1e-12));
  EG_RETURN_IF_ERROR(keys.status());
  EG_ASSIGN_OR_RETURN(c.activation, ParseActivation(json["hidden_act"].String().value_or("gelu")));
  c.embedding = embedding;
  if (c.embedding.max_tokens == 0 || c.embedding.max_tokens > c.positions) {
    c.embedding.max_tokens = c.positions;
  }
  EG_RETURN_IF_ERROR(Validate(c));
  return c;
}

Result<Config> ParseBundle(const Json& json) {
  JsonKeys keys(json);
  Config c;
  c.vocabulary = keys.Int("vocab_size");
  c.hidden_size = keys.Int("hidden_size");
  c.intermediate_size = keys.Int("intermediate_size");
  c.num_layers = keys.Int("num_layers");
  c.num_heads = keys.Int("num_heads");
  c.positions = keys.Int("positions");
  c.token_types = keys.Int("token_types");
  c.layer_norm_eps = keys.Float("layer_norm_eps");
  const std::string activation = keys.String("activation");
  EG_RETURN_IF_ERROR(keys.status());
  EG_ASSIGN_OR_RETURN(c.activation, ParseActivation(activation));
  EG_ASSIGN_OR_RETURN(c.embedding, EmbeddingFromJson(json["embedding"]));
  EG_RETURN_IF_ERROR(Validate(c));
  return c;
}

}  // namespace edgegate::bert
