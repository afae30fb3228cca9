// The config of a decoder-only model, and of its media encoder if it has one. Decoder families
// (GLM-Edge, Llama, Qwen2, Qwen3) differ by the values here. The forward pass has no code for a
// single family.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/embedding_config.h"
#include "engine/model/media.h"

namespace edgegate {

enum class RopeLayout {
  kInterleaved,  // rotates the pairs (2i, 2i + 1): GLM, and GGUF files of architecture llama
  kHalfSplit,    // rotates the pairs (i, i + rotary_dim / 2): Llama and Qwen safetensors, NeoX
};

struct RopeConfig {
  RopeLayout layout = RopeLayout::kHalfSplit;
  int rotary_dim = 0;  // the first rotary_dim components of each head are rotated; even
  double theta = 10000.0;
  // Divisors of the rotary_dim / 2 frequencies. Empty: no scaling. Each supported kind of scaling
  // (linear, llama3, GGUF's rope_freqs tensor) is resolved into this table on loading.
  std::vector<float> frequency_divisors;
  // The position axis that each of the rotary_dim / 2 frequencies reads: 0, 1 or 2 (RopePosition).
  // Empty: all read axis 0, and text and media have one position. M-RoPE's sections, in blocks or
  // interleaved, are resolved into this table on loading.
  std::vector<int32_t> frequency_axes;
};

struct ModelConfig {
  std::string architecture;  // as the file names it: "GlmForCausalLM", "gguf:llama"
  int vocab_size = 0;        // rows of the embedding; may exceed the tokenizer's vocabulary
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
  bool mlp_bias = false;  // of gate, up and down
  bool qk_norm = false;   // per-head RMSNorm of q and k before rope (Qwen3)
  bool tied_lm_head = false;
  std::vector<int32_t> eos_token_ids;
  std::shared_ptr<const MediaConfig> media;  // null: the model takes text only
  // Set if the files mark the model as an embedding model. Its pooling is kLast.
  std::optional<EmbeddingConfig> embedding;

  int q_size() const { return num_heads * head_dim; }
  int kv_size() const { return num_kv_heads * head_dim; }
};

// Refuses a config that the engine cannot compute. Every count must be positive and bounded, so
// that no product of them exceeds 63 bits. num_kv_heads must divide num_heads. rotary_dim must be
// even and at most head_dim. Tables must have the sizes that are documented above.
// kInvalidArgument: the message names the field and its value. The family of `media` checks
// `media`.
Status ValidateModelConfig(const ModelConfig& config);

// kInvalidArgument: `value` is not within [low, high]. The message names the field.
Status CheckRange(const char* field, int64_t value, int64_t low, int64_t high);

// The sampling parameters that the model's author suggests (generation_config.json). nullopt: no
// suggestion.
struct GenerationDefaults {
  std::optional<float> temperature;
  std::optional<float> top_p;
  std::optional<int> top_k;
  std::optional<float> min_p;
  std::optional<float> repetition_penalty;
  // Divides the log-probabilities of the options of decisions. It is fitted on labelled examples.
  std::optional<float> decision_temperature;
  // True: questions are asked in the words of the request alone, without a list of the options. For
  // models that were trained on such questions.
  std::optional<bool> plain_decisions;
};

}  // namespace edgegate
