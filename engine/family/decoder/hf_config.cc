#include "engine/family/decoder/hf_config.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/base/portable_math.h"
#include "engine/family/registry.h"
#include "engine/weights/json.h"
#include "engine/weights/json_keys.h"

namespace edgegate {
namespace {

using HfFamily = DecoderFamily::HuggingFace;

// Computes the divisors of Llama 3's scaling (_compute_llama3_parameters in modeling_rope_utils.py
// of transformers). A top-level original_max_position_embeddings takes precedence, as in
// standardize_rope_params.
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
        2 * std::numbers::pi * PortablePow(rope->theta, 2.0 * i / rope->rotary_dim);
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

Status ParseRope(const Json& config, const HfFamily& family, ModelConfig* model) {
  // If both keys are present, the older one, rope_scaling, takes precedence (transformers 5,
  // convert_rope_params_to_dict).
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
  rope.layout = family.rope_layout;
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
    if (*id == -1) continue;  // means "none" in some configs
    const auto token = static_cast<int32_t>(*id);
    auto& ids = model->eos_token_ids;
    if (std::find(ids.begin(), ids.end(), token) == ids.end()) ids.push_back(token);
  }
  return {};
}

// Refuses a sliding window, unless no layer uses it or it is at least as long as the context.
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

bool Has(HasBias bias, bool by_config) {
  return bias == HasBias::kAlways || (bias == HasBias::kByConfig && by_config);
}

Status ParseSizes(const Json& config, const HfFamily& family, ModelConfig* model) {
  JsonKeys keys(config);
  model->vocab_size = keys.Int("vocab_size");
  model->hidden_size = keys.Int("hidden_size");
  model->intermediate_size = keys.Int("intermediate_size");
  model->num_layers = keys.Int("num_hidden_layers");
  model->num_heads = keys.Int("num_attention_heads");
  model->num_kv_heads =
      keys.Int("num_key_value_heads", family.kv_heads ? family.kv_heads : model->num_heads);
  model->max_position_embeddings = keys.Int("max_position_embeddings");
  model->rms_norm_eps = static_cast<float>(keys.Number("rms_norm_eps", family.rms_norm_eps));
  model->tied_lm_head = keys.Bool("tie_word_embeddings", false);
  const bool attention_bias = keys.Bool("attention_bias", family.attention_bias);
  const bool mlp_bias = family.mlp_bias == HasBias::kByConfig && keys.Bool("mlp_bias", false);
  model->qkv_bias = Has(family.qkv_bias, attention_bias);
  model->o_bias = Has(family.o_bias, attention_bias);
  model->mlp_bias = Has(family.mlp_bias, mlp_bias);
  model->qk_norm = family.qk_norm;
  const int by_heads = family.head_dim        ? family.head_dim
                       : model->num_heads > 0 ? model->hidden_size / model->num_heads
                                              : 0;
  model->head_dim = keys.Int("head_dim", by_heads);
  return keys.status();
}

}  // namespace

Result<ModelConfig> ParseHfConfig(const Json& config) {
  ModelConfig model;
  const Json architectures = config["architectures"];
  if (architectures.size() > 0) model.architecture = architectures.At(0).String().value_or("");
  EG_ASSIGN_OR_RETURN(const DecoderFamily* found, FindHfFamily(model.architecture));
  const HfFamily& family = *found->hugging_face;
  EG_RETURN_IF_ERROR(ParseSizes(config, family, &model));
  EG_RETURN_IF_ERROR(RefuseUnsupported(config, model));
  EG_RETURN_IF_ERROR(ParseRope(config, family, &model));
  EG_RETURN_IF_ERROR(AddEosIds(config["eos_token_id"], &model));
  if (family.read != nullptr) EG_RETURN_IF_ERROR(family.read(config, &model));
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
  // Suggestions that are out of range are ignored.
  auto keep = [](std::optional<float> value, float low, float high) {
    return value && *value >= low && *value <= high ? value : std::nullopt;
  };
  defaults.temperature = keep(number("temperature"), 0, 2);
  defaults.top_p = keep(number("top_p"), 1e-6f, 1);
  defaults.min_p = keep(number("min_p"), 0, 1);
  defaults.repetition_penalty = keep(number("repetition_penalty"), 0.01f, 10);
  defaults.decision_temperature = keep(number("decision_temperature"), 0.01f, 100);
  defaults.plain_decisions = root["plain_decisions"].Bool();
  const auto top_k = root["top_k"].Int();
  if (top_k && *top_k >= 0 && *top_k < (1 << 22)) defaults.top_k = static_cast<int>(*top_k);
  if (root["do_sample"].Bool() == false) defaults.temperature = 0.0f;
  return defaults;
}

void AddDefaultEos(ModelConfig* config) {
  if (!config->eos_token_ids.empty()) return;
  const auto family = FindHfFamily(config->architecture);
  if (!family.ok()) return;
  for (const int32_t id : (*family)->hugging_face->eos_token_ids) {
    if (id < config->vocab_size) config->eos_token_ids.push_back(id);
  }
}

}  // namespace edgegate
