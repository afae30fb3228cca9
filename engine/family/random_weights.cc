#include "engine/family/random_weights.h"

#include <algorithm>
#include <cstring>
#include <deque>

#include "engine/base/aligned_buffer.h"
#include "engine/base/half.h"
#include "engine/family/glm_edge_v/weights.h"
#include "engine/ops/linear/int4/pack.h"

namespace edgegate {
namespace {

struct Shape {
  const char* name;
  int vocab, hidden, intermediate, layers, heads, kv_heads, head_dim, positions;
  bool vision;
};
// All are wide: only the layers of adapters are fine.
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
  std::deque<AlignedBuffer<int8_t>> bytes;
  std::deque<AlignedBuffer<float>> floats;
  std::deque<AlignedBuffer<int32_t>> sums;
  AlignedBuffer<uint16_t> embedding;

  void MakeVision();

  const float* Floats(int size, float value) {
    auto& buffer = floats.emplace_back(static_cast<size_t>(size));
    std::fill_n(buffer.data(), size, value);
    return buffer.data();
  }

  Int8Linear Int8(int n, int k) {
    Int8Linear w;
    w.n = n;
    w.k = k;
    auto& packed = bytes.emplace_back(size_t{1} * w.n_padded() * w.k_padded());
    // A simple generator: the values only have to differ.
    uint32_t state = 1 + static_cast<uint32_t>(bytes.size());
    for (size_t i = 0; i < packed.size(); ++i) {
      state = state * 1664525 + 1013904223;
      packed[i] = static_cast<int8_t>(std::max(-127, static_cast<int>(state >> 24) - 128));
    }
    w.packed = packed.data();
    w.scale = Floats(w.n_padded(), 0.0005f);
    auto& sum = sums.emplace_back(static_cast<size_t>(w.n_padded()));
    for (int q = 0; q < w.k_padded() / 4; ++q) {
      for (int j = 0; j < 256 * (w.n_padded() / 64); ++j) {
        const int block = j / 256, within = j % 256;
        sum[block * 64 + within / 4] +=
            packed[(int64_t{block} * (w.k_padded() / 4) + q) * 256 + within];
      }
    }
    w.column_sum = sum.data();
    return w;
  }

  Linear Plain(int n, int k) { return {.main = Int8(n, k), .rest = {}, .int4 = {}}; }
  Linear Fine(int n, int k) { return {.main = Int8(n, k), .rest = Int8(n, k), .int4 = {}}; }

  // Wide groups, as Quantize() makes them, of levels that differ, with one scale and one minimum.
  Int4Linear Int4(int n, int k) {
    Int4Linear w;
    w.n = n;
    w.k = k;
    w.group = kInt4WideGroup;
    auto& packed = bytes.emplace_back(static_cast<size_t>(Int4PackedBytes(n, k, w.group)));
    const std::vector<uint16_t> scales(kInt8Block, FloatToF16(0.008f));
    const std::vector<uint16_t> minima(kInt8Block, FloatToF16(-0.06f));
    uint32_t state = 1 + static_cast<uint32_t>(bytes.size());
    const int levels = Int4GroupBytes(w.group) - 4 * kInt8Block;
    for (int8_t* group = packed.data(); group < packed.data() + packed.size();
         group += Int4GroupBytes(w.group)) {
      for (int i = 0; i < levels; ++i) {
        state = state * 1664525 + 1013904223;
        group[i] = static_cast<int8_t>(state >> 24);
      }
      std::memcpy(group + levels, scales.data(), 2 * kInt8Block);
      std::memcpy(group + levels + 2 * kInt8Block, minima.data(), 2 * kInt8Block);
    }
    w.packed = reinterpret_cast<const uint8_t*>(packed.data());
    return w;
  }

  Linear Layer(int n, int k) {
    if (weights.format == WeightFormat::kInt4) return {.main = {}, .rest = {}, .int4 = Int4(n, k)};
    return Plain(n, k);
  }
};

// The adapter is fine, as Quantize() has it.
void RandomWeights::Impl::MakeVision() {
  const glm_edge_v::Config& v = glm_edge_v::ConfigOf(weights.config);
  const int width = v.hidden_size, text = weights.config.hidden_size;
  const glm_edge_v::LayerNormWeights norm{Floats(std::max(width, text), 1.0f),
                                          Floats(std::max(width, text), 0.0f)};
  auto vision_weights = std::make_shared<glm_edge_v::Weights>();
  glm_edge_v::Weights& w = *vision_weights;
  w.patch.main = Int8(width, v.patch_values());
  w.positions = Floats(v.patches() * width, 0.1f);
  for (int i = 0; i < v.num_layers; ++i) {
    w.layers.push_back({.norm1 = norm,
                        .q = Plain(width, width),
                        .kv = Plain(2 * width, width),
                        .out = Plain(width, width),
                        .norm2 = norm,
                        .fc1 = Plain(v.intermediate_size, width),
                        .fc2 = Plain(width, v.intermediate_size)});
  }
  w.post_norm = w.adapter_norm = norm;
  w.conv = Fine(text, 4 * width);
  w.linear = Fine(text, text);
  w.gate_up = Fine(2 * Int8Padded(v.adapter_size), text);
  w.down = Fine(text, v.adapter_size);
  w.first_row = w.last_row = Floats(text, 0.1f);
  weights.media = std::move(vision_weights);
}

RandomWeights::RandomWeights(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RandomWeights::~RandomWeights() = default;
const DecoderWeights& RandomWeights::weights() const { return impl_->weights; }

Result<std::unique_ptr<RandomWeights>> RandomWeights::Make(const std::string& shape,
                                                           WeightFormat format) {
  const auto* found = std::find_if(std::begin(kShapes), std::end(kShapes),
                                   [&](const Shape& s) { return s.name == shape; });
  if (found == std::end(kShapes)) {
    return InvalidArgument(
        "shape \"{}\" is not known; these are: glm-edge-1.5b, glm-edge-4b, glm-edge-v-2b, "
        "glm-edge-v-5b, smollm2-135m",
        shape);
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
  w.final_norm = impl->Floats(c.hidden_size, 1.0f);
  for (int i = 0; i < c.num_layers; ++i) {
    DecoderLayerWeights layer;
    layer.attention_norm = layer.mlp_norm = w.final_norm;
    layer.qkv = impl->Layer(c.q_size() + 2 * c.kv_size(), c.hidden_size);
    layer.o = impl->Layer(c.hidden_size, c.q_size());
    layer.gate_up = impl->Layer(2 * c.intermediate_size, c.hidden_size);
    layer.down = impl->Layer(c.hidden_size, c.intermediate_size);
    w.layers.push_back(layer);
  }
  w.lm_head.main = impl->Int8(c.vocab_size, c.hidden_size);
  if (c.media) impl->MakeVision();
  return std::unique_ptr<RandomWeights>(new RandomWeights(std::move(impl)));
}

}  // namespace edgegate
