// A family of decoder-only models, as data: how its config files are read, and its table of
// tensors. All families share the forward pass (decoder_runner.h) and the quantization
// (layer_quantizer.h), which depend on the fields of ModelConfig.
//
// A family is one file in families/ and one row in engine/family/registry.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/family/decoder/decoder_tensors.h"
#include "engine/model/model_config.h"
#include "engine/weights/gguf.h"
#include "engine/weights/json.h"

namespace edgegate {

// The checkpoints of a family that have a kind of bias.
enum class HasBias : uint8_t {
  kNever,
  kAlways,
  kByConfig,  // if attention_bias, or mlp_bias, is true
};

// The description of a family. Immutable after it is registered.
struct DecoderFamily {
  // A checkpoint with config.json and safetensors. The defaults of absent keys are those of the
  // config class in transformers.
  struct HuggingFace {
    std::string architecture;  // config.json's architectures[0]
    DecoderTensorNames tensors = kHfTensorNames;
    RopeLayout rope_layout = RopeLayout::kHalfSplit;
    HasBias qkv_bias = HasBias::kByConfig;
    HasBias o_bias = HasBias::kNever;
    HasBias mlp_bias = HasBias::kNever;
    bool qk_norm = false;
    bool attention_bias = false;         // if attention_bias is absent
    double rotary_factor = 1.0;          // if partial_rotary_factor is absent
    int kv_heads = 0;                    // if num_key_value_heads is absent; 0: as many as heads
    int head_dim = 0;                    // if head_dim is absent; 0: hidden_size / heads
    double rms_norm_eps = 1e-6;          // if rms_norm_eps is absent
    std::vector<int32_t> eos_token_ids;  // if no file has any
    // Reads keys that the fields above do not cover, and refuses what the forward pass does not
    // support. Called last. May be null.
    Status (*read)(const Json& config, ModelConfig* model) = nullptr;
  };

  // The description of a family's GGUF files.
  struct Gguf {
    std::string architecture;  // general.architecture
    DecoderTensorNames tensors = kGgufTensorNames;
    RopeLayout rope_layout = RopeLayout::kHalfSplit;
    bool qk_norm = false;
    // Tokens that end a turn, in addition to those that end it in every family.
    std::vector<std::string> end_of_turn;
    // Reads the metadata that only this family has, as HuggingFace::read does. May be null.
    Status (*read)(const GgufFile& file, ModelConfig* model) = nullptr;
  };

  std::optional<HuggingFace> hugging_face;  // nullopt: such files are not supported
  std::optional<Gguf> gguf;                 // nullopt: GGUF files are not supported
};

}  // namespace edgegate
