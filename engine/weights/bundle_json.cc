#include "engine/weights/bundle_json.h"

#include <nlohmann/json.hpp>

#include "engine/weights/json.h"
#include "engine/weights/json_keys.h"

namespace edgegate {
namespace {

using nlohmann::json;

template <typename T>
json Optional(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

json ConfigToJson(const ModelConfig& c) {
  json config = {{"architecture", c.architecture},
                 {"vocab_size", c.vocab_size},
                 {"hidden_size", c.hidden_size},
                 {"intermediate_size", c.intermediate_size},
                 {"num_layers", c.num_layers},
                 {"num_heads", c.num_heads},
                 {"num_kv_heads", c.num_kv_heads},
                 {"head_dim", c.head_dim},
                 {"max_position_embeddings", c.max_position_embeddings},
                 {"rms_norm_eps", c.rms_norm_eps},
                 {"rope_interleaved", c.rope.layout == RopeLayout::kInterleaved},
                 {"rotary_dim", c.rope.rotary_dim},
                 {"rope_theta", c.rope.theta},
                 {"rope_frequency_divisors", c.rope.frequency_divisors},
                 {"qkv_bias", c.qkv_bias},
                 {"o_bias", c.o_bias},
                 {"mlp_bias", c.mlp_bias},
                 {"qk_norm", c.qk_norm},
                 {"tied_lm_head", c.tied_lm_head},
                 {"eos_token_ids", c.eos_token_ids},
                 {"vision", c.media ? json::parse(c.media->ToJson()) : json(nullptr)}};
  if (!c.rope.frequency_axes.empty()) config["rope_frequency_axes"] = c.rope.frequency_axes;
  if (c.embedding) config["embedding"] = json::parse(EmbeddingToJson(*c.embedding));
  return config;
}

Status ConfigFromJson(const Json& object, ModelConfig* c) {
  JsonKeys keys(object);
  c->architecture = keys.String("architecture");
  c->vocab_size = keys.Int("vocab_size");
  c->hidden_size = keys.Int("hidden_size");
  c->intermediate_size = keys.Int("intermediate_size");
  c->num_layers = keys.Int("num_layers");
  c->num_heads = keys.Int("num_heads");
  c->num_kv_heads = keys.Int("num_kv_heads");
  c->head_dim = keys.Int("head_dim");
  c->max_position_embeddings = keys.Int("max_position_embeddings");
  c->rms_norm_eps = keys.Float("rms_norm_eps");
  c->rope.layout =
      keys.Bool("rope_interleaved") ? RopeLayout::kInterleaved : RopeLayout::kHalfSplit;
  c->rope.rotary_dim = keys.Int("rotary_dim");
  c->rope.theta = keys.Number("rope_theta");
  c->rope.frequency_divisors = keys.Floats("rope_frequency_divisors");
  c->qkv_bias = keys.Bool("qkv_bias");
  c->o_bias = keys.Bool("o_bias");
  c->mlp_bias = keys.Bool("mlp_bias");
  c->qk_norm = keys.Bool("qk_norm");
  c->tied_lm_head = keys.Bool("tied_lm_head");
  c->eos_token_ids = keys.Ints("eos_token_ids");
  if (object.Has("rope_frequency_axes")) c->rope.frequency_axes = keys.Ints("rope_frequency_axes");
  if (object.Has("embedding")) {
    EG_ASSIGN_OR_RETURN(c->embedding, EmbeddingFromJson(object["embedding"]));
  }
  return keys.status();
}

// Stores the media config as JSON. Its family reads it later.
Status MediaFromJson(const Json& media, BundleInfo* info) {
  if (media.is_null()) return {};
  if (!media.is_object()) return DataLoss("vision is {}: must be an object", media.Brief());
  info->media = media;
  return {};
}

Status GenerationFromJson(const Json& object, GenerationDefaults* g) {
  JsonKeys keys(object);
  g->temperature = keys.OptionalFloat("temperature");
  g->top_p = keys.OptionalFloat("top_p");
  g->top_k = keys.OptionalInt("top_k");
  g->min_p = keys.OptionalFloat("min_p");
  g->repetition_penalty = keys.OptionalFloat("repetition_penalty");
  g->decision_temperature = keys.OptionalFloat("decision_temperature");
  g->plain_decisions = object["plain_decisions"].Bool();
  return keys.status();
}

Status TensorsFromJson(const Json& array, TensorTable* tensors) {
  if (!array.is_array()) return DataLoss("tensors is {}: must be an array", array.Brief());
  for (size_t i = 0; i < array.size(); ++i) {
    JsonKeys keys(array.At(i));
    const std::string name = keys.String("name");
    (*tensors)[name] = {keys.Size("offset"), keys.Size("bytes")};
    EG_RETURN_IF_ERROR(keys.status().WithContext("tensor " + name));
  }
  return {};
}

const char* NameOf(EmbeddingType type) {
  switch (type) {
    case EmbeddingType::kF32:
      return "f32";
    case EmbeddingType::kF16:
      return "f16";
    case EmbeddingType::kBf16:
      break;
  }
  return "bf16";
}

Status TokenizerKindFromJson(const Json& object, BundleInfo* info) {
  JsonKeys keys(object);
  const std::string kind = keys.String("tokenizer_kind");
  EG_RETURN_IF_ERROR(keys.status());
  if (kind != "huggingface" && kind != "sentencepiece") {
    return DataLoss("tokenizer_kind is \"{}\"", kind);
  }
  info->tokenizer_kind = kind == "sentencepiece" ? TokenizerAssets::Kind::kSentencePiece
                                                 : TokenizerAssets::Kind::kHuggingFace;
  return {};
}

// Reads the other fields whose values are words.
Status KindsFromJson(const Json& object, BundleInfo* info) {
  JsonKeys keys(object);
  const std::string type = keys.String("embedding_type"), format = keys.String("format");
  EG_RETURN_IF_ERROR(keys.status());
  if (type != "f32" && type != "f16" && type != "bf16") {
    return DataLoss("embedding_type is \"{}\"", type);
  }
  info->embedding_type = type == "f32"   ? EmbeddingType::kF32
                         : type == "f16" ? EmbeddingType::kF16
                                         : EmbeddingType::kBf16;
  const auto parsed = ParseWeightFormat(format);
  if (!parsed.ok()) return DataLoss("format: {}", parsed.status().message());
  info->format = *parsed;
  return {};
}

Status FromJson(std::string_view text, BundleInfo* info, TensorTable* tensors) {
  EG_ASSIGN_OR_RETURN(const Json manifest, Json::Parse(text));
  EG_RETURN_IF_ERROR(TokenizerKindFromJson(manifest, info));
  if (manifest.Has("encoder")) {
    info->encoder = manifest["encoder"];
    return TensorsFromJson(manifest["tensors"], tensors);
  }
  EG_RETURN_IF_ERROR(ConfigFromJson(manifest["config"], &info->config).WithContext("config"));
  EG_RETURN_IF_ERROR(MediaFromJson(manifest["config"]["vision"], info).WithContext("config"));
  EG_RETURN_IF_ERROR(
      GenerationFromJson(manifest["generation"], &info->generation).WithContext("generation"));
  EG_RETURN_IF_ERROR(KindsFromJson(manifest, info));
  return TensorsFromJson(manifest["tensors"], tensors);
}

// Adds the members that only the manifest of a decoder has.
void AddDecoder(const BundleInfo& info, json* manifest) {
  const GenerationDefaults& g = info.generation;
  (*manifest)["calibration"] = info.calibration_sha256;
  (*manifest)["config"] = ConfigToJson(info.config);
  (*manifest)["generation"] = {{"temperature", Optional(g.temperature)},
                               {"top_p", Optional(g.top_p)},
                               {"top_k", Optional(g.top_k)},
                               {"min_p", Optional(g.min_p)},
                               {"repetition_penalty", Optional(g.repetition_penalty)}};
  // Absent where they are not set, so that the bundles of other models keep their bytes.
  if (g.decision_temperature) {
    (*manifest)["generation"]["decision_temperature"] = *g.decision_temperature;
  }
  if (g.plain_decisions) (*manifest)["generation"]["plain_decisions"] = *g.plain_decisions;
  (*manifest)["embedding_type"] = NameOf(info.embedding_type);
  (*manifest)["format"] = WeightFormatName(info.format);
}

}  // namespace

std::string EmbeddingToJson(const EmbeddingConfig& config) {
  const char* pooling = config.pooling == Pooling::kMean    ? "mean"
                        : config.pooling == Pooling::kFirst ? "first"
                                                            : "last";
  const json object = {
      {"pooling", pooling}, {"normalize", config.normalize}, {"max_tokens", config.max_tokens}};
  return object.dump();
}

Result<EmbeddingConfig> EmbeddingFromJson(const Json& object) {
  JsonKeys keys(object);
  EmbeddingConfig config;
  const std::string pooling = keys.String("pooling");
  config.normalize = keys.Bool("normalize");
  config.max_tokens = keys.Int("max_tokens");
  EG_RETURN_IF_ERROR(keys.status().WithContext("embedding"));
  if (pooling != "mean" && pooling != "first" && pooling != "last") {
    return DataLoss("embedding: pooling is \"{}\"", pooling);
  }
  if (config.max_tokens < 0) return DataLoss("embedding: max_tokens is {}", config.max_tokens);
  config.pooling = pooling == "mean"    ? Pooling::kMean
                   : pooling == "first" ? Pooling::kFirst
                                        : Pooling::kLast;
  return config;
}

std::string ManifestToJson(const BundleInfo& info, const TensorTable& tensors) {
  json files = json::array();
  for (const auto& f : info.source_files) {
    files.push_back({{"name", f.name}, {"size", f.size}, {"sha256", f.sha256}});
  }
  json table = json::array();
  for (const auto& [name, place] : tensors) {
    table.push_back({{"name", name}, {"offset", place.first}, {"bytes", place.second}});
  }
  const bool spm = info.tokenizer_kind == TokenizerAssets::Kind::kSentencePiece;
  json manifest = {{"source", {{"files", files}}},
                   {"tokenizer_kind", spm ? "sentencepiece" : "huggingface"},
                   {"tensors", table}};
  if (info.encoder_text.empty()) {
    AddDecoder(info, &manifest);
  } else {
    manifest["encoder"] = json::parse(info.encoder_text);
  }
  return manifest.dump(1, ' ', false, json::error_handler_t::replace);
}

Status ManifestFromJson(std::string_view text, BundleInfo* info, TensorTable* tensors) {
  return FromJson(text, info, tensors).WithContext("manifest");
}

}  // namespace edgegate
