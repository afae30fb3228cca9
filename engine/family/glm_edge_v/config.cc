#include "engine/family/glm_edge_v/config.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/weights/json_keys.h"

namespace edgegate::glm_edge_v {

Result<MediaLayout> Config::Layout(const MediaItem& item) const {
  if (item.kind != MediaKind::kImage) return InvalidArgument("the model takes images only");
  const MediaShape& shape = item.shape;
  const auto bytes = static_cast<size_t>(canvas) * canvas * 3;
  if (shape.frames != 1 || shape.height != canvas || shape.width != canvas || !item.pixels ||
      item.pixels->size() != bytes) {
    return InvalidArgument("an image of {} x {} pixels and {} bytes: must be {} x {}", shape.width,
                           shape.height, item.pixels ? item.pixels->size() : 0, canvas, canvas);
  }
  return MediaLayout{.rows = rows(), .positions = {}, .advance = rows()};
}

std::string Config::ToJson() const {
  const nlohmann::json json = {{"hidden_size", hidden_size},
                               {"intermediate_size", intermediate_size},
                               {"num_layers", num_layers},
                               {"num_heads", num_heads},
                               {"image_size", canvas},
                               {"patch_size", patch_size},
                               {"layer_norm_eps", layer_norm_eps},
                               {"adapter_size", adapter_size},
                               {"image_token_id", image_token_id}};
  return json.dump();
}

const Config& ConfigOf(const ModelConfig& model) {
  return static_cast<const Config&>(*model.media);
}

Result<Config> ParseHfConfig(const Json& config) {
  const Json json = config["vision_config"];
  const std::string type = json["model_type"].String().value_or("siglip_vision_model");
  const std::string activation = json["hidden_act"].String().value_or("gelu_pytorch_tanh");
  if (type != "siglip_vision_model") {
    return Unimplemented("vision_config.model_type \"{}\" is not supported", type);
  }
  if (activation != "gelu_pytorch_tanh") {
    return Unimplemented("vision_config.hidden_act \"{}\" is not supported", activation);
  }
  JsonKeys keys(json);
  Config v;
  v.hidden_size = keys.Int("hidden_size", 768);
  v.intermediate_size = keys.Int("intermediate_size", 3072);
  v.num_layers = keys.Int("num_hidden_layers", 12);
  v.num_heads = keys.Int("num_attention_heads", 12);
  v.canvas = keys.Int("image_size", 224);
  v.patch_size = keys.Int("patch_size", 16);
  v.layer_norm_eps = static_cast<float>(keys.Number("layer_norm_eps", 1e-6));
  if (keys.Int("num_channels", 3) != 3)
    return Unimplemented("vision_config.num_channels must be 3");
  EG_RETURN_IF_ERROR(keys.status().WithContext("vision_config"));
  JsonKeys top(config);
  v.image_token_id = top.Int("boi_token_id", -1);
  EG_RETURN_IF_ERROR(top.status());
  return v;
}

bool IsMmproj(const GgufFile& gguf) {
  const std::string projector =
      gguf.String("clip.projector_type")
          .value_or(gguf.String("clip.vision.projector_type").value_or(""));
  return gguf.String("general.architecture") == "clip" && projector == "adapter";
}

Result<Config> ParseGguf(const GgufFile& gguf) {
  Status missing;
  auto number = [&](const std::string& key) {
    const auto value = gguf.Int("clip.vision." + key);
    if (!value && missing.ok()) missing = DataLoss("clip.vision.{} is missing", key);
    return static_cast<int>(std::clamp<int64_t>(value.value_or(0), -1, 1 << 30));
  };
  Config v;
  v.hidden_size = number("embedding_length");
  v.intermediate_size = number("feed_forward_length");
  v.num_layers = number("block_count");
  v.num_heads = number("attention.head_count");
  v.canvas = number("image_size");
  v.patch_size = number("patch_size");
  EG_RETURN_IF_ERROR(missing);
  v.layer_norm_eps =
      static_cast<float>(gguf.Number("clip.vision.attention.layer_norm_epsilon").value_or(1e-6));
  for (const char* key : {"clip.vision.image_mean", "clip.vision.image_std"}) {
    const auto* values = gguf.Array<double>(key);
    if (values != nullptr && *values != std::vector<double>{0.5, 0.5, 0.5}) {
      return Unimplemented("{} is not 0.5: not supported", key);
    }
  }
  return v;
}

Result<Config> ParseBundle(const Json& config) {
  JsonKeys keys(config);
  Config v;
  v.hidden_size = keys.Int("hidden_size");
  v.intermediate_size = keys.Int("intermediate_size");
  v.num_layers = keys.Int("num_layers");
  v.num_heads = keys.Int("num_heads");
  v.canvas = keys.Int("image_size");
  v.patch_size = keys.Int("patch_size");
  v.layer_norm_eps = keys.Float("layer_norm_eps");
  v.adapter_size = keys.Int("adapter_size");
  v.image_token_id = keys.Int("image_token_id");
  EG_RETURN_IF_ERROR(keys.status());
  EG_RETURN_IF_ERROR(Validate(v));
  return v;
}

Status Validate(const Config& v) {
  EG_RETURN_IF_ERROR(CheckRange("vision_config.hidden_size", v.hidden_size, 1, 1 << 14));
  EG_RETURN_IF_ERROR(
      CheckRange("vision_config.intermediate_size", v.intermediate_size, 1, 1 << 16));
  EG_RETURN_IF_ERROR(CheckRange("vision_config.num_hidden_layers", v.num_layers, 1, 1024));
  EG_RETURN_IF_ERROR(CheckRange("vision_config.num_attention_heads", v.num_heads, 1, 1024));
  EG_RETURN_IF_ERROR(CheckRange("vision_config.patch_size", v.patch_size, 1, 64));
  EG_RETURN_IF_ERROR(CheckRange("vision_config.image_size", v.canvas, 2 * v.patch_size,
                                std::min(4096, 128 * v.patch_size)));
  if (v.canvas % v.patch_size != 0) {
    return InvalidArgument("vision_config.image_size is {}: must be a multiple of patch_size ({})",
                           v.canvas, v.patch_size);
  }
  if (v.hidden_size % v.num_heads != 0) {
    return InvalidArgument(
        "vision_config.hidden_size is {}: must be a multiple of num_attention_heads ({})",
        v.hidden_size, v.num_heads);
  }
  EG_RETURN_IF_ERROR(CheckRange("vision head_dim", v.head_dim(), 1, 1024));
  EG_RETURN_IF_ERROR(CheckRange("the adapter's width", v.adapter_size, 0, 1 << 16));
  if (!(v.layer_norm_eps >= 0 && v.layer_norm_eps < 1)) {
    return InvalidArgument("vision_config.layer_norm_eps is {}: must be between 0 and 1",
                           v.layer_norm_eps);
  }
  return {};
}

}  // namespace edgegate::glm_edge_v
