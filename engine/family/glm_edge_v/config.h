// The config of GLM-Edge-V's vision part: a SigLIP tower (Zhai et al. 2023, arXiv:2303.15343) and
// an adapter. The image is divided into a square grid of patches. The adapter is a 2x2 convolution
// of stride 2, a linear layer and a gated layer. Its output has one more row before and one after.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/model/media.h"
#include "engine/model/model_config.h"
#include "engine/weights/gguf.h"
#include "engine/weights/json.h"

namespace edgegate::glm_edge_v {

struct Config : MediaConfig {
  static constexpr char kFamily[] = "glm_edge_v";

  int hidden_size = 0;
  int intermediate_size = 0;
  int num_layers = 0;
  int num_heads = 0;
  int canvas = 0;  // side of the image in pixels
  int patch_size = 0;
  float layer_norm_eps = 1e-6f;
  int adapter_size = 0;         // width of the adapter's gated layer
  int32_t image_token_id = -1;  // -1: the tokenizer has it

  int head_dim() const { return hidden_size / num_heads; }
  int grid() const { return canvas / patch_size; }
  int patches() const { return grid() * grid(); }
  int patch_values() const { return 3 * patch_size * patch_size; }
  // Number of rows of the adapter, without the row before and the row after.
  int adapter_rows() const { return (grid() / 2) * (grid() / 2); }
  int rows() const { return adapter_rows() + 2; }

  const char* family() const override { return kFamily; }
  Result<MediaLayout> Layout(const MediaItem& item) const override;
  int32_t token_id() const override { return image_token_id; }
  int image_size() const override { return canvas; }
  std::string ToJson() const override;
};

// Returns the config of a model of this family.
const Config& ConfigOf(const ModelConfig& model);

// Reads the object `vision_config` of a config.json, and `boi_token_id` beside it. Defaults of
// absent keys are those of SiglipVisionConfig in transformers. adapter_size is 0, because no config
// has it. kUnimplemented: the encoder does not support a value; the message names it.
Result<Config> ParseHfConfig(const Json& config);

// True if a GGUF file is llama.cpp's mmproj file of a GLM-Edge-V: architecture "clip", projector
// "adapter".
bool IsMmproj(const GgufFile& gguf);

// Reads the metadata of such a file. adapter_size is 0.
Result<Config> ParseGguf(const GgufFile& gguf);

// Reads the output of Config::ToJson().
Result<Config> ParseBundle(const Json& config);

// Refuses a config that the encoder cannot compute. The message names the field and its value.
Status Validate(const Config& config);

}  // namespace edgegate::glm_edge_v
