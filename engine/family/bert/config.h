// The config of a BERT encoder (Devlin et al. 2018, arXiv:1810.04805) with a sentence embedding
// (Reimers and Gurevych 2019, arXiv:1908.10084).
#pragma once

#include <string>

#include "engine/base/status.h"
#include "engine/family/text_encoder_family.h"

namespace edgegate::bert {

enum class Activation { kGeluErf, kGeluTanh };

struct Config : TextEncoderConfig {
  static constexpr char kFamily[] = "bert";

  int vocabulary = 0;  // rows of the word embedding
  int hidden_size = 0;
  int intermediate_size = 0;
  int num_layers = 0;
  int num_heads = 0;
  int positions = 0;    // rows of the position embedding
  int token_types = 0;  // rows of the embedding of token types; texts have type 0
  float layer_norm_eps = 0;
  Activation activation = Activation::kGeluErf;
  EmbeddingConfig embedding;  // max_tokens is set and at most `positions`

  int head_dim() const { return hidden_size / num_heads; }

  const char* family() const override { return kFamily; }
  int vocab_size() const override { return vocabulary; }
  int max_tokens() const override { return embedding.max_tokens; }
  std::string ToJson() const override;
};

// Reads config.json. kUnimplemented: the encoder does not support a value.
Result<Config> ParseHfConfig(const Json& config, const EmbeddingConfig& embedding);
// Reads the output of Config::ToJson().
Result<Config> ParseBundle(const Json& config);

}  // namespace edgegate::bert
