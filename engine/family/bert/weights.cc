#include "engine/family/bert/weights.h"

#include "engine/family/bert/encoder.h"

namespace edgegate::bert {

std::unique_ptr<TextEncoder> Weights::MakeEncoder(const TextEncoderOptions& options) const {
  return std::make_unique<Encoder>(*this, options);
}

std::shared_ptr<const Weights> Load(std::shared_ptr<const Config> config, BundleReader* bundle) {
  const int width = config->hidden_size, inner = config->intermediate_size;
  const auto norm = [&](const std::string& name) -> LayerNormWeights {
    return {bundle->Floats(name + ".weight", width), bundle->Floats(name + ".bias", width)};
  };
  auto w = std::make_shared<Weights>();
  w->words = bundle->Floats("encoder.words", int64_t{config->vocabulary} * width);
  w->positions = bundle->Floats("encoder.positions", int64_t{config->positions} * width);
  w->norm = norm("encoder.norm");
  for (int i = 0; i < config->num_layers && bundle->status().ok(); ++i) {
    const std::string prefix = fmt::format("encoder.layers.{}.", i);
    w->layers.push_back({.qkv = bundle->Int8(prefix + "qkv", 3 * width, width, true),
                         .out = bundle->Int8(prefix + "out", width, width, true),
                         .attention_norm = norm(prefix + "attention_norm"),
                         .up = bundle->Int8(prefix + "up", inner, width, true),
                         .down = bundle->Int8(prefix + "down", width, inner, true),
                         .mlp_norm = norm(prefix + "mlp_norm")});
  }
  w->c = std::move(config);
  return w;
}

}  // namespace edgegate::bert
