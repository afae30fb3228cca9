// A family of decoder-only models, as data: how its config files are read, and its table of
// tensors. All families share the forward pass (decoder_runner.h) and the quantization
// (layer_quantizer.h), whose switches are the fields of ModelConfig.
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

// Tells whether a checkpoint has a kind of bias.
enum class HasBias : uint8_t {
  kNever,
  kAlways,
  kByConfig,  // where attention_bias, or mlp_bias, is true
};

struct DecoderFamily {
  // A checkpoint with config.json and safetensors. The defaults of absent keys are those of
  // transformers' config class.
  struct HuggingFace {
    std::string architecture;  // config.json's architectures[0]
    DecoderTensorNames tensors = kHfTensorNames;
    RopeLayout rope_layout = RopeLayout::kHalfSplit;
    HasBias qkv_bias = HasBias::kByConfig;
    HasBias o_bias = HasBias::kNever;
    HasBias mlp_bias = HasBias::kNever;
    bool qk_norm = false;
    bool attention_bias = false;         // where attention_bias is absent
    double rotary_factor = 1.0;          // where partial_rotary_factor is absent
    int kv_heads = 0;                    // where num_key_value_heads is absent; 0: as many as heads
    int head_dim = 0;                    // where head_dim is absent; 0: hidden_size / heads
    double rms_norm_eps = 1e-6;          // where rms_norm_eps is absent
    std::vector<int32_t> eos_token_ids;  // where no file names any
    // Reads keys that the fields above do not cover, and refuses what the forward pass lacks.
    // Called last. May be null.
    Status (*read)(const Json& config, ModelConfig* model) = nullptr;
  };

  // A GGUF file.
  struct Gguf {
    std::string architecture;  // general.architecture
    DecoderTensorNames tensors = kGgufTensorNames;
    RopeLayout rope_layout = RopeLayout::kHalfSplit;
    bool qk_norm = false;
    // Tokens that end a turn beside those that end it in every family.
    std::vector<std::string> end_of_turn;
    // Reads metadata of this family alone, as HuggingFace::read does. May be null.
    Status (*read)(const GgufFile& file, ModelConfig* model) = nullptr;
  };

  std::optional<HuggingFace> hugging_face;  // nullopt: no such files are read
  std::optional<Gguf> gguf;                 // the same
};

}  // namespace edgegate
