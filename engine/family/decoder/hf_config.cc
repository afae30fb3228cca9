#include "engine/family/decoder/hf_config.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/family/glm_edge_v/hf_vision_config.h"
#include "engine/weights/json.h"
#include "engine/weights/json_keys.h"

namespace edgegate {
namespace {

constexpr TensorNames kSplitNames = {
    .embedding = "model.embed_tokens.weight",
    .final_norm = "model.norm.weight",
    .lm_head = "lm_head.weight",
    .attention_norm = "model.layers.{}.input_layernorm.weight",
    .q = "model.layers.{}.self_attn.q_proj.weight",
    .k = "model.layers.{}.self_attn.k_proj.weight",
    .v = "model.layers.{}.self_attn.v_proj.weight",
    .o = "model.layers.{}.self_attn.o_proj.weight",
    .qkv = nullptr,
    .qkv_bias = nullptr,
    .q_bias = "model.layers.{}.self_attn.q_proj.bias",
    .k_bias = "model.layers.{}.self_attn.k_proj.bias",
    .v_bias = "model.layers.{}.self_attn.v_proj.bias",
    .o_bias = "model.layers.{}.self_attn.o_proj.bias",
    .q_norm = "model.layers.{}.self_attn.q_norm.weight",
    .k_norm = "model.layers.{}.self_attn.k_norm.weight",
    .mlp_norm = "model.layers.{}.post_attention_layernorm.weight",
    .gate = "model.layers.{}.mlp.gate_proj.weight",
    .up = "model.layers.{}.mlp.up_proj.weight",
    .gate_up = nullptr,
    .down = "model.layers.{}.mlp.down_proj.weight",
    .gate_bias = "model.layers.{}.mlp.gate_proj.bias",
    .up_bias = "model.layers.{}.mlp.up_proj.bias",
    .down_bias = "model.layers.{}.mlp.down_proj.bias",
};

constexpr TensorNames FusedNames() {
  TensorNames names = kSplitNames;
  names.gate_up = "model.layers.{}.mlp.gate_up_proj.weight";
  return names;
}
constexpr TensorNames kFusedNames = FusedNames();

enum class Bias { kNever, kAlways, kByConfig };

// How the families differ, beyond what config.json itself says.
struct Family {
  const char* architecture;
  RopeLayout layout;
  bool fused_gate_up;
  Bias qkv_bias;
  bool o_bias_by_config;
  bool mlp_bias_by_config;
  bool qk_norm;
  bool attention_bias;   // where attention_bias is absent
  double rotary_factor;  // where partial_rotary_factor is absent
  int kv_heads;          // where num_key_value_heads is absent; 0: as many as heads
  int head_dim;          // where head_dim is absent; 0: hidden_size / heads
  double eps;
  std::vector<int32_t> eos;  // where no file names any
};

const Family kFamilies[] = {
    {"GlmForCausalLM",
     RopeLayout::kInterleaved,
     true,
     Bias::kByConfig,
     false,
     false,
     false,
     true,
     0.5,
     2,
     128,
     1.5625e-7,
     {151329, 151336, 151338}},
    {"LlamaForCausalLM",
     RopeLayout::kHalfSplit,
     false,
     Bias::kByConfig,
     true,
     true,
     false,
     false,
     1.0,
     0,
     0,
     1e-6,
     {2}},
    {"Qwen2ForCausalLM",
     RopeLayout::kHalfSplit,
     false,
     Bias::kAlways,
     false,
     false,
     false,
     false,
     1.0,
     32,
     0,
     1e-6,
     {}},
    {"Qwen3ForCausalLM",
     RopeLayout::kHalfSplit,
     false,
     Bias::kByConfig,
     true,
     false,
     true,
     false,
     1.0,
     32,
     128,
     1e-6,
     {}},
};

const Family* FamilyOf(const std::string& architecture) {
  for (const Family& family : kFamilies) {
    if (architecture == family.architecture) return &family;
  }
  return nullptr;
}

// Llama 3's scaling (transformers, modeling_rope_utils.py, _compute_llama3_parameters).
// A top-level original_max_position_embeddings comes first, as standardize_rope_params has it.
Status Llama3Divisors(const Json& config, const Json& scaling, int max_positions,
                      RopeConfig* rope) {
  JsonKeys top(config);
  JsonKeys keys(scaling);
  const double factor = keys.Number("factor", 0);
  const double low = keys.Number("low_freq_factor", 0);
  const double high = keys.Number("high_freq_factor", 0);
  const double original =
      top.Number("original_max_position_embeddings",
                 keys.Number("original_max_position_embeddings", max_positions));
  EG_RETURN_IF_ERROR(keys.status());
  EG_RETURN_IF_ERROR(top.status());
  if (!(factor > 0 && low > 0 && high > low && original > 0)) {
    return DataLoss("rope_scaling {}: llama3 needs positive factors", scaling.Brief());
  }
  for (int i = 0; i < rope->rotary_dim / 2; ++i) {
    const double wavelength =
        2 * std::numbers::pi * std::pow(rope->theta, 2.0 * i / rope->rotary_dim);
    double divisor = 1;
    if (wavelength > original / low) {
      divisor = factor;
    } else if (wavelength >= original / high) {
      const double smooth = (original / wavelength - low) / (high - low);
      divisor = 1 / ((1 - smooth) / factor + smooth);
    }
    rope->frequency_divisors.push_back(static_cast<float>(divisor));
  }
  return {};
}

Status ParseRope(const Json& config, const Family& family, ModelConfig* model) {
  // transformers 5, convert_rope_params_to_dict: rope_scaling, the older key, wins where both are.
  Json scaling = config["rope_scaling"];
  if (!scaling.is_object() || scaling.size() == 0) scaling = config["rope_parameters"];
  for (const std::string& key : scaling.Keys()) {
    if (scaling[key].is_object()) {
      return Unimplemented("rope_parameters.{}: a rope of its own per layer type is not supported",
                           key);
    }
  }
  JsonKeys keys(config);
  JsonKeys inner(scaling);
  RopeConfig& rope = model->rope;
  rope.layout = family.layout;
  rope.theta = inner.Number("rope_theta", keys.Number("rope_theta", 10000.0));
  const double factor = inner.Number("partial_rotary_factor",
                                     keys.Number("partial_rotary_factor", family.rotary_factor));
  EG_RETURN_IF_ERROR(keys.status());
  EG_RETURN_IF_ERROR(inner.status());
  if (!(factor > 0 && factor <= 1)) return DataLoss("partial_rotary_factor is {}", factor);
  rope.rotary_dim = static_cast<int>(model->head_dim * factor);
  if (!scaling.is_object()) return {};
  const std::string type =
      scaling["rope_type"].String().value_or(scaling["type"].String().value_or("default"));
  if (type == "default") return {};
  if (type == "llama3") {
    return Llama3Divisors(config, scaling, model->max_position_embeddings, &rope);
  }
  if (type == "linear") {
    const float divisor = static_cast<float>(inner.Number("factor", 0));
    if (!(divisor > 0))
      return DataLoss("rope_scaling {}: factor must be positive", scaling.Brief());
    rope.frequency_divisors.assign(static_cast<size_t>(rope.rotary_dim / 2), divisor);
    return {};
  }
  return Unimplemented("rope scaling type \"{}\" is not supported", type);
}

Status AddEosIds(const Json& value, ModelConfig* model) {
  if (value.is_null()) return {};
  std::vector<Json> items;
  if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i) items.push_back(value.At(i));
  } else {
    items.push_back(value);
  }
  for (const Json& item : items) {
    const auto id = item.Int();
    if (!id || *id < -1 || *id > (1 << 22)) return DataLoss("eos_token_id is {}", value.Brief());
    if (*id == -1) continue;  // "none", in some configs
    const auto token = static_cast<int32_t>(*id);
    auto& ids = model->eos_token_ids;
    if (std::find(ids.begin(), ids.end(), token) == ids.end()) ids.push_back(token);
  }
  return {};
}

// A window that no layer uses, or that is no shorter than the context, changes nothing.
Status RefuseSlidingWindow(const Json& config, const ModelConfig& model) {
  const auto window = config["sliding_window"].Int();
  if (window && *window >= model.max_position_embeddings) return {};
  const Json types = config["layer_types"];
  for (size_t i = 0; i < types.size(); ++i) {
    const std::string type = types.At(i).String().value_or("");
    if (type != "full_attention") {
      return Unimplemented("layer_types has \"{}\": only full_attention is supported", type);
    }
  }
  if (types.size() == 0 && config["use_sliding_window"].Bool().value_or(false) &&
      config["max_window_layers"].Int().value_or(28) < model.num_layers) {
    return Unimplemented("sliding window attention is not supported");
  }
  return {};
}

Status RefuseUnsupported(const Json& config, const ModelConfig& model) {
  if (!config["quantization_config"].is_null()) {
    return Unimplemented(
        "config.json has a quantization_config: quantized checkpoints are not "
        "supported, give the original weights or a GGUF file");
  }
  const std::string activation = config["hidden_act"].String().value_or("silu");
  if (activation != "silu" && activation != "swish") {
    return Unimplemented("hidden_act \"{}\" is not supported", activation);
  }
  return RefuseSlidingWindow(config, model);
}

Status ParseSizes(const Json& config, const Family& family, ModelConfig* model) {
  JsonKeys keys(config);
  model->vocab_size = keys.Int("vocab_size");
  model->hidden_size = keys.Int("hidden_size");
  model->intermediate_size = keys.Int("intermediate_size");
  model->num_layers = keys.Int("num_hidden_layers");
  model->num_heads = keys.Int("num_attention_heads");
  model->num_kv_heads =
      keys.Int("num_key_value_heads", family.kv_heads ? family.kv_heads : model->num_heads);
  model->max_position_embeddings = keys.Int("max_position_embeddings");
  model->rms_norm_eps = static_cast<float>(keys.Number("rms_norm_eps", family.eps));
  model->tied_lm_head = keys.Bool("tie_word_embeddings", false);
  const bool attention_bias = keys.Bool("attention_bias", family.attention_bias);
  model->qkv_bias =
      family.qkv_bias == Bias::kAlways || (family.qkv_bias == Bias::kByConfig && attention_bias);
  model->o_bias = family.o_bias_by_config && attention_bias;
  model->mlp_bias = family.mlp_bias_by_config && keys.Bool("mlp_bias", false);
  model->qk_norm = family.qk_norm;
  const int by_heads = family.head_dim        ? family.head_dim
                       : model->num_heads > 0 ? model->hidden_size / model->num_heads
                                              : 0;
  model->head_dim = keys.Int("head_dim", by_heads);
  return keys.status();
}

}  // namespace

Result<ModelConfig> ParseHfConfig(std::string_view config_json) {
  EG_ASSIGN_OR_RETURN(const Json config, Json::Parse(config_json));
  ModelConfig model;
  const Json architectures = config["architectures"];
  if (architectures.size() > 0) model.architecture = architectures.At(0).String().value_or("");
  const Family* family = FamilyOf(model.architecture);
  if (family == nullptr) {
    return Unimplemented(
        "architecture \"{}\" is not supported; these are: GlmForCausalLM, "
        "LlamaForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM",
        model.architecture);
  }
  EG_RETURN_IF_ERROR(ParseSizes(config, *family, &model));
  EG_RETURN_IF_ERROR(RefuseUnsupported(config, model));
  EG_RETURN_IF_ERROR(ParseRope(config, *family, &model));
  EG_RETURN_IF_ERROR(AddEosIds(config["eos_token_id"], &model));
  EG_RETURN_IF_ERROR(ParseHfVisionConfig(config, &model));
  EG_RETURN_IF_ERROR(ValidateModelConfig(model));
  return model;
}

Result<GenerationDefaults> ParseGenerationConfig(std::string_view json, ModelConfig* config) {
  EG_ASSIGN_OR_RETURN(const Json root, Json::Parse(json));
  EG_RETURN_IF_ERROR(AddEosIds(root["eos_token_id"], config));
  GenerationDefaults defaults;
  auto number = [&](const char* key) -> std::optional<float> {
    const auto value = root[key].Number();
    return value ? std::optional(static_cast<float>(*value)) : std::nullopt;
  };
  // Out-of-range suggestions are no suggestions.
  auto keep = [](std::optional<float> value, float low, float high) {
    return value && *value >= low && *value <= high ? value : std::nullopt;
  };
  defaults.temperature = keep(number("temperature"), 0, 2);
  defaults.top_p = keep(number("top_p"), 1e-6f, 1);
  defaults.min_p = keep(number("min_p"), 0, 1);
  defaults.repetition_penalty = keep(number("repetition_penalty"), 0.01f, 10);
  const auto top_k = root["top_k"].Int();
  if (top_k && *top_k >= 0 && *top_k < (1 << 22)) defaults.top_k = static_cast<int>(*top_k);
  if (root["do_sample"].Bool() == false) defaults.temperature = 0.0f;
  return defaults;
}

void AddDefaultEos(ModelConfig* config) {
  if (!config->eos_token_ids.empty()) return;
  for (int32_t id : FamilyOf(config->architecture)->eos) {
    if (id < config->vocab_size) config->eos_token_ids.push_back(id);
  }
}

const TensorNames& HfTensorNames(const ModelConfig& config) {
  return FamilyOf(config.architecture)->fused_gate_up ? kFusedNames : kSplitNames;
}

}  // namespace edgegate
