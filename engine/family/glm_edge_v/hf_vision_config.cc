#include "engine/family/glm_edge_v/hf_vision_config.h"

#include "engine/weights/json_keys.h"

namespace edgegate {

// Defaults of absent keys are those of transformers' SiglipVisionConfig. The adapter's width is in
// no config: its tensors tell.
Status ParseHfVisionConfig(const Json& config, ModelConfig* model) {
  const Json json = config["vision_config"];
  if (json.is_null()) return {};
  if (model->architecture != "GlmForCausalLM") {
    return Unimplemented("a vision_config is supported for GlmForCausalLM only");
  }
  const std::string type = json["model_type"].String().value_or("siglip_vision_model");
  const std::string activation = json["hidden_act"].String().value_or("gelu_pytorch_tanh");
  if (type != "siglip_vision_model") {
    return Unimplemented("vision_config.model_type \"{}\" is not supported", type);
  }
  if (activation != "gelu_pytorch_tanh") {
    return Unimplemented("vision_config.hidden_act \"{}\" is not supported", activation);
  }
  JsonKeys keys(json);
  VisionConfig v;
  v.hidden_size = keys.Int("hidden_size", 768);
  v.intermediate_size = keys.Int("intermediate_size", 3072);
  v.num_layers = keys.Int("num_hidden_layers", 12);
  v.num_heads = keys.Int("num_attention_heads", 12);
  v.image_size = keys.Int("image_size", 224);
  v.patch_size = keys.Int("patch_size", 16);
  v.layer_norm_eps = static_cast<float>(keys.Number("layer_norm_eps", 1e-6));
  if (keys.Int("num_channels", 3) != 3)
    return Unimplemented("vision_config.num_channels must be 3");
  EG_RETURN_IF_ERROR(keys.status().WithContext("vision_config"));
  JsonKeys top(config);
  v.image_token_id = top.Int("boi_token_id", -1);
  EG_RETURN_IF_ERROR(top.status());
  model->vision = v;
  return {};
}

}  // namespace edgegate
