#include "engine/weights/bundle_json.h"

#include <nlohmann/json.hpp>

namespace edgegate {
namespace {

using nlohmann::json;

template <typename T>
json Optional(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

template <typename T>
std::optional<T> Optional(const json& object, const char* key) {
  const json& value = object.at(key);
  return value.is_null() ? std::nullopt : std::optional(value.get<T>());
}

json VisionToJson(const VisionConfig& v) {
  return {{"hidden_size", v.hidden_size},       {"intermediate_size", v.intermediate_size},
          {"num_layers", v.num_layers},         {"num_heads", v.num_heads},
          {"image_size", v.image_size},         {"patch_size", v.patch_size},
          {"layer_norm_eps", v.layer_norm_eps}, {"adapter_size", v.adapter_size},
          {"image_token_id", v.image_token_id}};
}

json ConfigToJson(const ModelConfig& c) {
  return {{"architecture", c.architecture},
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
          {"vision", c.vision ? VisionToJson(*c.vision) : json(nullptr)}};
}

VisionConfig VisionFromJson(const json& j) {
  VisionConfig v;
  v.hidden_size = j.at("hidden_size").get<int>();
  v.intermediate_size = j.at("intermediate_size").get<int>();
  v.num_layers = j.at("num_layers").get<int>();
  v.num_heads = j.at("num_heads").get<int>();
  v.image_size = j.at("image_size").get<int>();
  v.patch_size = j.at("patch_size").get<int>();
  v.layer_norm_eps = j.at("layer_norm_eps").get<float>();
  v.adapter_size = j.at("adapter_size").get<int>();
  v.image_token_id = j.at("image_token_id").get<int32_t>();
  return v;
}

ModelConfig ConfigFromJson(const json& j) {
  ModelConfig c;
  c.architecture = j.at("architecture").get<std::string>();
  c.vocab_size = j.at("vocab_size").get<int>();
  c.hidden_size = j.at("hidden_size").get<int>();
  c.intermediate_size = j.at("intermediate_size").get<int>();
  c.num_layers = j.at("num_layers").get<int>();
  c.num_heads = j.at("num_heads").get<int>();
  c.num_kv_heads = j.at("num_kv_heads").get<int>();
  c.head_dim = j.at("head_dim").get<int>();
  c.max_position_embeddings = j.at("max_position_embeddings").get<int>();
  c.rms_norm_eps = j.at("rms_norm_eps").get<float>();
  c.rope.layout =
      j.at("rope_interleaved").get<bool>() ? RopeLayout::kInterleaved : RopeLayout::kHalfSplit;
  c.rope.rotary_dim = j.at("rotary_dim").get<int>();
  c.rope.theta = j.at("rope_theta").get<double>();
  c.rope.frequency_divisors = j.at("rope_frequency_divisors").get<std::vector<float>>();
  c.qkv_bias = j.at("qkv_bias").get<bool>();
  c.o_bias = j.at("o_bias").get<bool>();
  c.mlp_bias = j.at("mlp_bias").get<bool>();
  c.qk_norm = j.at("qk_norm").get<bool>();
  c.tied_lm_head = j.at("tied_lm_head").get<bool>();
  c.eos_token_ids = j.at("eos_token_ids").get<std::vector<int32_t>>();
  if (const json& vision = j.at("vision"); !vision.is_null()) c.vision = VisionFromJson(vision);
  return c;
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

}  // namespace

std::string ManifestToJson(const BundleInfo& info, const TensorTable& tensors) {
  json files = json::array();
  for (const auto& f : info.source_files) {
    files.push_back({{"name", f.name}, {"size", f.size}, {"sha256", f.sha256}});
  }
  json table = json::array();
  for (const auto& [name, place] : tensors) {
    table.push_back({{"name", name}, {"offset", place.first}, {"bytes", place.second}});
  }
  const GenerationDefaults& g = info.generation;
  const bool spm = info.tokenizer_kind == TokenizerAssets::Kind::kSentencePiece;
  const json manifest = {{"source", {{"files", files}}},
                         {"calibration", info.calibration_sha256},
                         {"config", ConfigToJson(info.config)},
                         {"generation",
                          {{"temperature", Optional(g.temperature)},
                           {"top_p", Optional(g.top_p)},
                           {"top_k", Optional(g.top_k)},
                           {"min_p", Optional(g.min_p)},
                           {"repetition_penalty", Optional(g.repetition_penalty)}}},
                         {"tokenizer_kind", spm ? "sentencepiece" : "huggingface"},
                         {"embedding_type", NameOf(info.embedding_type)},
                         {"format", WeightFormatName(info.format)},
                         {"tensors", table}};
  return manifest.dump(1, ' ', false, json::error_handler_t::replace);
}

Status ManifestFromJson(std::string_view text, BundleInfo* info, TensorTable* tensors) {
  try {
    const json manifest = json::parse(text);
    info->config = ConfigFromJson(manifest.at("config"));
    const json& g = manifest.at("generation");
    info->generation.temperature = Optional<float>(g, "temperature");
    info->generation.top_p = Optional<float>(g, "top_p");
    info->generation.top_k = Optional<int>(g, "top_k");
    info->generation.min_p = Optional<float>(g, "min_p");
    info->generation.repetition_penalty = Optional<float>(g, "repetition_penalty");
    const std::string kind = manifest.at("tokenizer_kind").get<std::string>();
    if (kind != "huggingface" && kind != "sentencepiece") {
      return DataLoss("manifest: tokenizer_kind is \"{}\"", kind);
    }
    info->tokenizer_kind = kind == "sentencepiece" ? TokenizerAssets::Kind::kSentencePiece
                                                   : TokenizerAssets::Kind::kHuggingFace;
    const std::string type = manifest.at("embedding_type").get<std::string>();
    if (type != "f32" && type != "f16" && type != "bf16") {
      return DataLoss("manifest: embedding_type is \"{}\"", type);
    }
    info->embedding_type = type == "f32"   ? EmbeddingType::kF32
                           : type == "f16" ? EmbeddingType::kF16
                                           : EmbeddingType::kBf16;
    const auto format = ParseWeightFormat(manifest.at("format").get<std::string>());
    if (!format.ok()) return DataLoss("manifest: {}", format.status().message());
    info->format = *format;
    for (const json& t : manifest.at("tensors")) {
      // The library would convert a fraction or 1e80 all the same, which is undefined.
      if (!t.at("offset").is_number_unsigned() || !t.at("bytes").is_number_unsigned()) {
        return DataLoss("manifest: a tensor's offset and bytes must be whole numbers");
      }
      (*tensors)[t.at("name").get<std::string>()] = {t.at("offset").get<uint64_t>(),
                                                     t.at("bytes").get<uint64_t>()};
    }
  } catch (const json::exception& e) {
    return DataLoss("manifest: {}", e.what());
  }
  return {};
}

}  // namespace edgegate
