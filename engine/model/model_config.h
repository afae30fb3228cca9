// What a model is, as data: a decoder-only text model and, where it sees, a vision tower. Families
// (GLM-Edge, Llama, Qwen2, Qwen3) differ by the values here, never by code of their own in the
// forward pass.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/status.h"

namespace edgegate {

enum class RopeLayout {
  kInterleaved,  // rotates the pairs (2i, 2i+1): GLM, and GGUF files of arch llama
  kHalfSplit,    // rotates the pairs (i, i + rotary_dim / 2): Llama and Qwen safetensors, NeoX
};

struct RopeConfig {
  RopeLayout layout = RopeLayout::kHalfSplit;
  int rotary_dim = 0;  // the first rotary_dim components of each head are rotated; even
  double theta = 10000.0;
  // Divides each of the rotary_dim / 2 frequencies. Empty: no scaling. Every scaling kind that is
  // supported (linear, llama3, GGUF's rope_freqs tensor) is resolved into this table on loading.
  std::vector<float> frequency_divisors;
};

// A SigLIP tower (Zhai et al. 2023, arXiv:2303.15343) and GLM-Edge-V's adapter: patches in a square
// grid, the tower, a 2x2 convolution of stride 2, a gated layer, and one row before and after.
struct VisionConfig {
  int hidden_size = 0;
  int intermediate_size = 0;
  int num_layers = 0;
  int num_heads = 0;
  int image_size = 0;  // pixels on a side
  int patch_size = 0;
  float layer_norm_eps = 1e-6f;
  int adapter_size = 0;         // width of the adapter's gated layer
  int32_t image_token_id = -1;  // whose places in a prompt the rows take; -1: the tokenizer knows

  int head_dim() const { return hidden_size / num_heads; }
  int grid() const { return image_size / patch_size; }
  int patches() const { return grid() * grid(); }
  int patch_values() const { return 3 * patch_size * patch_size; }
  // Rows that a picture takes in the text model: the adapter's, framed by two.
  int rows() const { return (grid() / 2) * (grid() / 2) + 2; }
};

struct ModelConfig {
  std::string architecture;  // as the file names it: "GlmForCausalLM", "gguf:llama"
  int vocab_size = 0;        // rows of the embedding; may exceed what the tokenizer knows
  int hidden_size = 0;
  int intermediate_size = 0;
  int num_layers = 0;
  int num_heads = 0;
  int num_kv_heads = 0;  // divides num_heads
  int head_dim = 0;
  int max_position_embeddings = 0;
  float rms_norm_eps = 0;
  RopeConfig rope;
  bool qkv_bias = false;
  bool o_bias = false;
  bool mlp_bias = false;  // gate, up and down
  bool qk_norm = false;   // per-head RMSNorm of q and k before rope (Qwen3)
  bool tied_lm_head = false;
  std::vector<int32_t> eos_token_ids;
  std::optional<VisionConfig> vision;

  int q_size() const { return num_heads * head_dim; }
  int kv_size() const { return num_kv_heads * head_dim; }
};

// Refuses what the engine cannot compute: every count positive and within sane bounds (so that no
// product of them overflows 63 bits), num_kv_heads divides num_heads, rotary_dim even and at most
// head_dim, table sizes as documented above. The message names the field and its value.
Status ValidateModelConfig(const ModelConfig& config);

// The model author's suggested sampling (generation_config.json). Absent: not suggested.
struct GenerationDefaults {
  std::optional<float> temperature;
  std::optional<float> top_p;
  std::optional<int> top_k;
  std::optional<float> min_p;
  std::optional<float> repetition_penalty;
};

}  // namespace edgegate
