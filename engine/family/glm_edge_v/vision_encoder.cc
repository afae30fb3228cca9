#include "engine/family/glm_edge_v/vision_encoder.h"

#include <algorithm>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/base/ceil_div.h"
#include "engine/base/thread_pool.h"
#include "engine/ops/attention/image_attention.h"
#include "engine/ops/linear/linear.h"
#include "engine/ops/rows/row_ops.h"

namespace edgegate {
namespace {

// Rows of one unit: enough to use the weights well, few enough to take some ten milliseconds.
constexpr int kRows = 2 * ImageAttention::kPatches;
constexpr int kAdapterRows = 64;  // each costs as much as some hundred of the tower's, by layer
constexpr float kAdapterEps = 1e-5f;

int WidestRow(const VisionConfig& v, int text) {
  return std::max(
      {v.patch_values(), 4 * v.hidden_size, v.intermediate_size, text, Int8Padded(v.adapter_size)});
}

}  // namespace

struct VisionEncoder::Impl {
  Impl(const VisionWeights& w, const ModelConfig& config, Int8MatMul::Backend backend)
      : weights(w),
        vision(*config.vision),
        text_size(config.hidden_size),
        chunk(std::min(kRows, vision.patches())),
        linear(chunk, WidestRow(vision, text_size), {.fine = true}, backend),
        hidden(size_t{1} * vision.patches() * vision.hidden_size),
        queries(size_t{1} * chunk * vision.hidden_size),
        keys_values(size_t{2} * chunk * vision.hidden_size),
        attention(size_t{1} * chunk * std::max(vision.hidden_size, text_size)),
        wide(size_t{1} * chunk * WidestRow(vision, text_size)),
        attend(vision.patches(), vision.num_heads, vision.head_dim(), weights.patch.fine()) {}

  void EmbedPatches(int first, int count);
  void BeginLayer(const VisionLayerWeights& w, int first, int count);
  void FinishLayer(const VisionLayerWeights& w, int first, int count);
  void Adapt(int first, int count, float* rows);
  int Units() const;
  bool Step(float* rows);

  float* Hidden(int row) { return hidden.data() + int64_t{row} * vision.hidden_size; }

  const VisionWeights weights;
  const VisionConfig vision;
  const int text_size;
  const int chunk;

  LinearMatMul linear;
  AlignedBuffer<float> hidden;       // [patches][hidden]: the residual stream
  AlignedBuffer<float> queries;      // [chunk][hidden]
  AlignedBuffer<float> keys_values;  // [chunk][2 * hidden]
  AlignedBuffer<float> attention;    // [chunk][hidden], and the adapter's [chunk][text hidden]
  AlignedBuffer<float> wide;         // [chunk] of the widest rows
  ImageAttention attend;             // of the layer under way

  PreparedPixels pixels;
  int next = 0;  // unit
};

// The tower's input: patches times their convolution, plus the positions.
void VisionEncoder::Impl::EmbedPatches(int first, int count) {
  const int size = vision.image_size, patch = vision.patch_size, values = vision.patch_values();
  const uint8_t* picture = pixels->data();
  ParallelFor(count, [&](int i) {
    const int y = (first + i) / vision.grid() * patch, x = (first + i) % vision.grid() * patch;
    float* out = wide.data() + int64_t{i} * values;
    for (int channel = 0; channel < 3; ++channel) {
      for (int row = 0; row < patch; ++row) {
        const uint8_t* from = picture + (int64_t{y + row} * size + x) * 3 + channel;
        for (int column = 0; column < patch; ++column) {
          *out++ = static_cast<float>(from[column * 3]) * (2.0f / 255.0f) - 1.0f;
        }
      }
    }
  });
  const int64_t width = vision.hidden_size;
  std::copy_n(weights.positions + first * width, count * width, Hidden(first));
  linear.Quantize(weights.patch, wide.data(), values, count);
  linear.Add(weights.patch, Hidden(first), width);
}

// Queries, keys and values of the rows.
void VisionEncoder::Impl::BeginLayer(const VisionLayerWeights& w, int first, int count) {
  const int64_t width = vision.hidden_size;
  linear.LayerNormAndQuantize(w.kv, Hidden(first), width, count, w.norm1.weight, w.norm1.bias,
                              vision.layer_norm_eps);
  linear.Store(w.q, queries.data(), width);
  linear.Store(w.kv, keys_values.data(), 2 * width);
  attend.Store(first, count, queries.data(), width, keys_values.data(), keys_values.data() + width,
               2 * width);
}

// What is left of the layer for these rows, all keys being there.
void VisionEncoder::Impl::FinishLayer(const VisionLayerWeights& w, int first, int count) {
  const int width = vision.hidden_size, inner = vision.intermediate_size;
  attend.Attend(first, count, attention.data());
  linear.Quantize(w.out, attention.data(), width, count);
  linear.Add(w.out, Hidden(first), width);
  linear.LayerNormAndQuantize(w.fc1, Hidden(first), width, count, w.norm2.weight, w.norm2.bias,
                              vision.layer_norm_eps);
  linear.Gelu(w.fc1, wide.data(), inner);
  linear.Quantize(w.fc2, wide.data(), inner, count);
  linear.Add(w.fc2, Hidden(first), width);
}

// Rows [first, first + count) of the adapter's.
void VisionEncoder::Impl::Adapt(int first, int count, float* rows) {
  const int width = vision.hidden_size, square = 4 * width, grid = vision.grid();
  ParallelFor(count, [&](int i) {
    const int y = (first + i) / (grid / 2) * 2, x = (first + i) % (grid / 2) * 2;
    for (int part = 0; part < 4; ++part) {
      LayerNormRow(Hidden((y + part / 2) * grid + x + part % 2), weights.post_norm.weight,
                   weights.post_norm.bias, width, vision.layer_norm_eps,
                   wide.data() + int64_t{i} * square + int64_t{part} * width);
    }
  });
  linear.Quantize(weights.conv, wide.data(), square, count);
  linear.Store(weights.conv, attention.data(), text_size);
  linear.Quantize(weights.linear, attention.data(), text_size, count);
  linear.Store(weights.linear, attention.data(), text_size);
  ParallelFor(count, [&](int i) {
    float* row = attention.data() + int64_t{i} * text_size;
    LayerNormRow(row, weights.adapter_norm.weight, weights.adapter_norm.bias, text_size,
                 kAdapterEps, row);
    GeluErfRow(row, text_size);
  });
  linear.Quantize(weights.gate_up, attention.data(), text_size, count);
  const int inner = Int8Padded(vision.adapter_size);
  linear.SwiGlu(weights.gate_up, wide.data(), inner);
  linear.Quantize(weights.down, wide.data(), inner, count);
  linear.Store(weights.down, rows + int64_t{1 + first} * text_size, text_size);
}

int VisionEncoder::Impl::Units() const {
  return CeilDiv(vision.patches(), kRows) * (1 + 2 * vision.num_layers) +
         CeilDiv(vision.rows() - 2, kAdapterRows);
}

// Patches; for each layer first all queries, keys and values, then the rest; then the adapter.
bool VisionEncoder::Impl::Step(float* rows) {
  const int chunks = CeilDiv(vision.patches(), kRows);
  const int unit = next++;
  const int first = unit % chunks * kRows;
  const int count = std::min(kRows, vision.patches() - first);
  const int stage = unit / chunks - 1;
  if (stage < 0) {
    EmbedPatches(first, count);
  } else if (stage < 2 * vision.num_layers) {
    const VisionLayerWeights& w = weights.layers[stage / 2];
    stage % 2 == 0 ? BeginLayer(w, first, count) : FinishLayer(w, first, count);
  } else {
    const int row = (unit - chunks * (1 + 2 * vision.num_layers)) * kAdapterRows;
    Adapt(row, std::min(kAdapterRows, vision.rows() - 2 - row), rows);
  }
  if (next < Units()) return false;
  std::copy_n(weights.first_row, text_size, rows);
  std::copy_n(weights.last_row, text_size, rows + int64_t{vision.rows() - 1} * text_size);
  pixels.reset();
  return true;
}

VisionEncoder::VisionEncoder(const VisionWeights& weights, const ModelConfig& config,
                             Int8MatMul::Backend backend)
    : impl_(std::make_unique<Impl>(weights, config, backend)) {}
VisionEncoder::~VisionEncoder() = default;

int VisionEncoder::units() const { return impl_->Units(); }

Status VisionEncoder::Begin(PreparedPixels pixels) {
  const auto size = static_cast<size_t>(impl_->vision.image_size);
  if (!pixels || pixels->size() != size * size * 3) {
    return Internal("a picture of {} bytes: must be {} x {} x 3", pixels ? pixels->size() : 0, size,
                    size);
  }
  impl_->pixels = std::move(pixels);
  impl_->next = 0;
  return {};
}

bool VisionEncoder::Step(float* rows) { return impl_->Step(rows); }

}  // namespace edgegate
