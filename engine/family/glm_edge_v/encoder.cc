#include "engine/family/glm_edge_v/encoder.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/base/ceil_div.h"
#include "engine/base/thread_pool.h"
#include "engine/ops/attention/image_attention.h"
#include "engine/ops/linear/linear.h"
#include "engine/ops/rows/row_ops.h"

namespace edgegate::glm_edge_v {
namespace {

// Rows of a slice. This number uses the weights well, and takes about ten milliseconds.
constexpr int kRows = 2 * ImageAttention::kPatches;
constexpr int kAdapterRows = 64;  // one takes as long as about a hundred rows of a tower's layer
constexpr float kAdapterEps = 1e-5f;

int WidestRow(const Config& v, int text) {
  return std::max(
      {v.patch_values(), 4 * v.hidden_size, v.intermediate_size, text, Int8Padded(v.adapter_size)});
}

LinearFormatSet FormatsOf(const Weights& w) {
  LinearFormatSet formats;
  for (const Linear* l : {&w.patch, &w.conv, &w.linear, &w.gate_up, &w.down}) formats.Add(*l);
  for (const LayerWeights& layer : w.layers) {
    for (const Linear* l : {&layer.q, &layer.kv, &layer.out, &layer.fc1, &layer.fc2}) {
      formats.Add(*l);
    }
  }
  return formats;
}

}  // namespace

struct Encoder::Impl {
  Impl(const Weights& w, const Config& config, int text, const MediaEncoderOptions& options)
      : weights(w),
        vision(config),
        text_size(text),
        pool(options.pool),
        chunk(std::min(kRows, vision.patches())),
        linear({chunk, WidestRow(vision, text_size)}, FormatsOf(w), options.backend),
        hidden(size_t{1} * vision.patches() * vision.hidden_size),
        queries(size_t{1} * chunk * vision.hidden_size),
        keys_values(size_t{2} * chunk * vision.hidden_size),
        attention(size_t{1} * chunk * std::max(vision.hidden_size, text_size)),
        wide(size_t{1} * chunk * WidestRow(vision, text_size)),
        attend(vision.patches(), vision.num_heads, vision.head_dim(),
               weights.patch.Is<Int16Linear>()) {}

  void EmbedPatches(int first, int count);
  void BeginLayer(const LayerWeights& w, int first, int count);
  void FinishLayer(const LayerWeights& w, int first, int count);
  void Adapt(int first, int count, float* rows);
  int Slices() const;
  bool Slice();

  float* Hidden(int row) { return hidden.data() + int64_t{row} * vision.hidden_size; }

  const Weights weights;
  const Config vision;
  const int text_size;
  ThreadPool* const pool;
  const int chunk;

  LinearMatMul linear;
  AlignedBuffer<float> hidden;       // [patches][hidden]: the residual stream
  AlignedBuffer<float> queries;      // [chunk][hidden]
  AlignedBuffer<float> keys_values;  // [chunk][2 * hidden]
  AlignedBuffer<float> attention;    // [chunk][hidden], and the adapter's [chunk][text hidden]
  AlignedBuffer<float> wide;         // [chunk] of the widest rows
  ImageAttention attend;             // of the current layer

  // The state of the current image.
  std::shared_ptr<const std::vector<uint8_t>> pixels;  // null: all slices are done
  int next = 0;                                        // index of the next slice
  MediaEmbedding embedding;
};

// Computes the tower's input: patches times their convolution, plus the positions.
void Encoder::Impl::EmbedPatches(int first, int count) {
  const int size = vision.canvas, patch = vision.patch_size, values = vision.patch_values();
  const uint8_t* image = pixels->data();
  ParallelFor(count, [&](int i) {
    const int y = (first + i) / vision.grid() * patch, x = (first + i) % vision.grid() * patch;
    float* out = wide.data() + int64_t{i} * values;
    for (int channel = 0; channel < 3; ++channel) {
      for (int row = 0; row < patch; ++row) {
        const uint8_t* from = image + (int64_t{y + row} * size + x) * 3 + channel;
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

// Computes queries, keys and values of the rows.
void Encoder::Impl::BeginLayer(const LayerWeights& w, int first, int count) {
  const int64_t width = vision.hidden_size;
  linear.LayerNormAndQuantize(w.kv, Hidden(first), width, count, w.norm1.weight, w.norm1.bias,
                              vision.layer_norm_eps);
  linear.Store(w.q, queries.data(), width);
  linear.Store(w.kv, keys_values.data(), 2 * width);
  attend.Store(first, count, queries.data(), width, keys_values.data(), keys_values.data() + width,
               2 * width);
}

// Computes the remaining operations of the layer for these rows. All keys must be stored.
void Encoder::Impl::FinishLayer(const LayerWeights& w, int first, int count) {
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

// Computes rows [first, first + count) of the adapter.
void Encoder::Impl::Adapt(int first, int count, float* rows) {
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

int Encoder::Impl::Slices() const {
  return CeilDiv(vision.patches(), kRows) * (1 + 2 * vision.num_layers) +
         CeilDiv(vision.adapter_rows(), kAdapterRows);
}

// The order of the slices is: the patches; for each layer all queries, keys and values, and then
// its other operations; then the adapter. Returns true after the last slice.
bool Encoder::Impl::Slice() {
  const int chunks = CeilDiv(vision.patches(), kRows);
  const int slice = next++;
  const int first = slice % chunks * kRows;
  const int count = std::min(kRows, vision.patches() - first);
  const int stage = slice / chunks - 1;
  if (stage < 0) {
    EmbedPatches(first, count);
  } else if (stage < 2 * vision.num_layers) {
    const LayerWeights& w = weights.layers[stage / 2];
    stage % 2 == 0 ? BeginLayer(w, first, count) : FinishLayer(w, first, count);
  } else {
    const int row = (slice - chunks * (1 + 2 * vision.num_layers)) * kAdapterRows;
    Adapt(row, std::min(kAdapterRows, vision.adapter_rows() - row), embedding.data.data());
  }
  if (next < Slices()) return false;
  float* rows = embedding.data.data();
  std::copy_n(weights.first_row, text_size, rows);
  std::copy_n(weights.last_row, text_size, rows + int64_t{vision.rows() - 1} * text_size);
  pixels.reset();
  return true;
}

Encoder::Encoder(const Weights& weights, const Config& config, int text_size,
                 const MediaEncoderOptions& options)
    : impl_(std::make_unique<Impl>(weights, config, text_size, options)) {}
Encoder::~Encoder() = default;

int Encoder::slices() const { return impl_->Slices(); }

Status Encoder::Begin(const MediaItem& item) {
  EG_ASSIGN_OR_RETURN(const MediaLayout layout, impl_->vision.Layout(item));
  impl_->pixels = item.pixels;
  impl_->next = 0;
  impl_->embedding = {.rows = layout.rows, .width = impl_->text_size, .deep_layers = 0, .data = {}};
  impl_->embedding.data.resize(static_cast<size_t>(layout.rows) * impl_->text_size);
  return {};
}

Result<bool> Encoder::Slice() {
  if (!impl_->pixels) return Internal("no image was begun");
  const ThreadPool::Step step(impl_->pool);
  return impl_->Slice();
}

Result<MediaEmbedding> Encoder::End() {
  if (impl_->pixels || impl_->embedding.data.empty()) return Internal("no image is complete");
  return std::exchange(impl_->embedding, {});
}

}  // namespace edgegate::glm_edge_v
