#include "engine/family/glm_edge_v/weights.h"

#include "engine/family/glm_edge_v/encoder.h"

namespace edgegate::glm_edge_v {

std::unique_ptr<MediaEncoder> Weights::MakeEncoder(const ModelConfig& config,
                                                   const MediaEncoderOptions& options) const {
  return std::make_unique<Encoder>(*this, ConfigOf(config), config.hidden_size, options);
}

Weights Load(const Config& v, int text_size, BundleReader* bundle) {
  const int width = v.hidden_size;
  const auto norm = [&](const std::string& name, int64_t count) -> LayerNormWeights {
    return {bundle->Floats(name + ".weight", count), bundle->Floats(name + ".bias", count)};
  };
  Weights w;
  w.patch = bundle->Int8("vision.patch", width, v.patch_values(), true);
  w.positions = bundle->Floats("vision.positions", int64_t{v.patches()} * width);
  for (int i = 0; i < v.num_layers && bundle->status().ok(); ++i) {
    const std::string prefix = fmt::format("vision.layers.{}.", i);
    w.layers.push_back({.norm1 = norm(prefix + "norm1", width),
                        .q = bundle->Int8(prefix + "q", width, width, true),
                        .kv = bundle->Int8(prefix + "kv", 2 * width, width, true),
                        .out = bundle->Int8(prefix + "out", width, width, true),
                        .norm2 = norm(prefix + "norm2", width),
                        .fc1 = bundle->Int8(prefix + "fc1", v.intermediate_size, width, true),
                        .fc2 = bundle->Int8(prefix + "fc2", width, v.intermediate_size, true)});
  }
  w.post_norm = norm("vision.post_norm", width);
  w.conv = bundle->Int8("vision.conv", text_size, 4 * width, true);
  w.linear = bundle->Int8("vision.linear", text_size, text_size, false);
  w.adapter_norm = norm("vision.adapter_norm", text_size);
  w.gate_up = bundle->Int8("vision.gate_up", 2 * Int8Padded(v.adapter_size), text_size, false);
  w.down = bundle->Int8("vision.down", text_size, v.adapter_size, false);
  w.first_row = bundle->Floats("vision.first_row", text_size);
  w.last_row = bundle->Floats("vision.last_row", text_size);
  return w;
}

}  // namespace edgegate::glm_edge_v
