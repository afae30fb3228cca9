#include "engine/family/random_weights.h"

#include <algorithm>

#include "engine/base/aligned_buffer.h"
#include "engine/family/glm_edge_v/weights.h"
#include "engine/ops/linear/weight_arena.h"
#include "engine/ops/linear/weight_formats.h"

namespace edgegate {
namespace {

struct Shape {
  const char* name;
  int vocab, hidden, intermediate, layers, heads, kv_heads, head_dim, positions;
  bool vision;
};
// All shapes are wide. So only the layers of adapters are INT16.
constexpr Shape kShapes[] = {
    {"glm-edge-1.5b", 59264, 2048, 6144, 28, 16, 4, 128, 8192, false},
    {"glm-edge-4b", 59264, 3072, 8192, 40, 24, 6, 128, 8192, false},
    {"glm-edge-v-2b", 59264, 2048, 6144, 28, 16, 4, 128, 4096, true},
    {"glm-edge-v-5b", 59264, 3072, 8192, 40, 24, 6, 128, 4096, true},
    {"smollm2-135m", 49152, 576, 1536, 30, 9, 3, 64, 8192, false},
};

ModelConfig ConfigOf(const Shape& s) {
  ModelConfig c;
  c.architecture = s.name;
  c.vocab_size = s.vocab;
  c.hidden_size = s.hidden;
  c.intermediate_size = s.intermediate;
  c.num_layers = s.layers;
  c.num_heads = s.heads;
  c.num_kv_heads = s.kv_heads;
  c.head_dim = s.head_dim;
  c.max_position_embeddings = s.positions;
  c.rms_norm_eps = 1e-5f;
  c.rope.layout = RopeLayout::kInterleaved;
  c.rope.rotary_dim = s.head_dim;
  if (s.vision) {
    // SigLIP so400m at 672 pixels, as in both published models.
    auto vision = std::make_shared<glm_edge_v::Config>();
    vision->hidden_size = 1152;
    vision->intermediate_size = 4304;
    vision->num_layers = 27;
    vision->num_heads = 16;
    vision->canvas = 672;
    vision->patch_size = 14;
    vision->adapter_size = s.intermediate;
    c.media = std::move(vision);
  }
  return c;
}

}  // namespace

struct RandomWeights::Impl {
  DecoderWeights weights;
  WeightArena arena;
  AlignedBuffer<uint16_t> embedding;

  void MakeVision();

  Linear Int8(int n, int k) { return {RandomInt8(&arena, {n, k})}; }
  Linear Int16(int n, int k) { return {RandomInt16(&arena, {n, k})}; }
  // Makes a layer of the decoder.
  Linear Layer(int n, int k) { return InfoOf(weights.format).random(&arena, {n, k}); }
};

// The layers of the adapter are INT16, as those that Quantize() writes.
void RandomWeights::Impl::MakeVision() {
  const glm_edge_v::Config& v = glm_edge_v::ConfigOf(weights.config);
  const int width = v.hidden_size, text = weights.config.hidden_size;
  const glm_edge_v::LayerNormWeights norm{arena.Floats(std::max(width, text), 1.0f),
                                          arena.Floats(std::max(width, text), 0.0f)};
  auto vision_weights = std::make_shared<glm_edge_v::Weights>();
  glm_edge_v::Weights& w = *vision_weights;
  w.patch = Int8(width, v.patch_values());
  w.positions = arena.Floats(v.patches() * width, 0.1f);
  for (int i = 0; i < v.num_layers; ++i) {
    w.layers.push_back({.norm1 = norm,
                        .q = Int8(width, width),
                        .kv = Int8(2 * width, width),
                        .out = Int8(width, width),
                        .norm2 = norm,
                        .fc1 = Int8(v.intermediate_size, width),
                        .fc2 = Int8(width, v.intermediate_size)});
  }
  w.post_norm = w.adapter_norm = norm;
  w.conv = Int16(text, 4 * width);
  w.linear = Int16(text, text);
  w.gate_up = Int16(2 * Int8Padded(v.adapter_size), text);
  w.down = Int16(text, v.adapter_size);
  w.first_row = w.last_row = arena.Floats(text, 0.1f);
  weights.media = std::move(vision_weights);
}

RandomWeights::RandomWeights(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RandomWeights::~RandomWeights() = default;
const DecoderWeights& RandomWeights::weights() const { return impl_->weights; }

std::vector<std::string> RandomWeights::Shapes() {
  std::vector<std::string> names;
  for (const Shape& shape : kShapes) names.emplace_back(shape.name);
  return names;
}

Result<std::unique_ptr<RandomWeights>> RandomWeights::Make(const std::string& shape,
                                                           WeightFormat format,
                                                           WeightFormat head_format) {
  const auto* found = std::find_if(std::begin(kShapes), std::end(kShapes),
                                   [&](const Shape& s) { return s.name == shape; });
  if (found == std::end(kShapes)) {
    return InvalidArgument("shape \"{}\" is not known; these are: {}", shape,
                           fmt::join(Shapes(), ", "));
  }
  auto impl = std::make_unique<Impl>();
  DecoderWeights& w = impl->weights;
  w.format = format;
  w.config = ConfigOf(*found);
  const ModelConfig& c = w.config;
  impl->embedding.Reset(size_t{1} * c.vocab_size * c.hidden_size);
  for (size_t i = 0; i < impl->embedding.size(); ++i) {
    impl->embedding[i] = static_cast<uint16_t>(0x3c00 + (i * 2654435761u >> 24));
  }
  w.embedding = {EmbeddingType::kBf16, impl->embedding.data()};
  w.state_norm = w.final_norm = impl->arena.Floats(c.hidden_size, 1.0f);
  for (int i = 0; i < c.num_layers; ++i) {
    DecoderLayerWeights layer;
    layer.attention_norm = layer.mlp_norm = w.final_norm;
    layer.qkv = impl->Layer(c.q_size() + 2 * c.kv_size(), c.hidden_size);
    layer.o = impl->Layer(c.hidden_size, c.q_size());
    layer.gate_up = impl->Layer(2 * c.intermediate_size, c.hidden_size);
    layer.down = impl->Layer(c.hidden_size, c.intermediate_size);
    w.layers.push_back(layer);
  }
  w.lm_head = InfoOf(head_format).random(&impl->arena, {c.vocab_size, c.hidden_size});
  if (c.media) impl->MakeVision();
  return std::unique_ptr<RandomWeights>(new RandomWeights(std::move(impl)));
}

}  // namespace edgegate
