#include "engine/family/glm_edge_v/vision_quantize.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/base/thread_pool.h"
#include "engine/family/glm_edge_v/float_vision.h"
#include "engine/quantize/linear_packer.h"
#include "engine/quantize/smooth_quant.h"

namespace edgegate {
namespace {

void WriteFloats(BundleWriter* writer, const std::string& name, const std::vector<float>& values) {
  writer->Write(name, values.data(), values.size() * 4);
}

// A norm in front of linear layers: it is divided, their columns multiplied.
void FoldNorm(const std::vector<float>& input, int columns, std::vector<float>* weight,
              std::vector<float>* bias, std::initializer_list<std::vector<float>*> linears) {
  std::vector<float> largest(static_cast<size_t>(columns));
  for (const auto* w : linears) RaiseTo(&largest, ColumnMaxima(*w, columns));
  const auto factors = SmoothingFactors(ColumnMaxima(input, columns), largest);
  DivideRows(weight, factors);
  DivideRows(bias, factors);
  for (auto* w : linears) ScaleColumns(w, factors);
}

// A linear layer in front of another: its rows are divided.
void FoldRows(const std::vector<float>& input, int columns, std::vector<float>* from,
              std::vector<float>* from_bias, std::vector<float>* to) {
  const auto factors = SmoothingFactors(ColumnMaxima(input, columns), ColumnMaxima(*to, columns));
  DivideRows(from, factors);
  if (from_bias != nullptr) DivideRows(from_bias, factors);
  ScaleColumns(to, factors);
}

// Moves the keys so that their mean over the picture is zero. What is the same in all keys adds the
// same to all of a query's scores, which the softmax does not see; without it, what differs gets
// finer steps (Zhang et al. 2024, arXiv:2410.02367).
void CentreKeys(const std::vector<float>& input, int columns, FloatVisionLayer* w) {
  std::vector<double> mean(static_cast<size_t>(columns));
  for (auto row = input.begin(); row != input.end(); row += columns) {
    for (int i = 0; i < columns; ++i) mean[i] += double{row[i]};
  }
  const auto rows = static_cast<double>(input.size() / mean.size());
  ParallelFor(std::ssize(w->k_bias), [&](int64_t row) {
    const auto key = w->k.begin() + row * columns;
    w->k_bias[row] =
        static_cast<float>(-std::inner_product(mean.begin(), mean.end(), key, 0.0) / rows);
  });
}

// fc2 stays as it is: what stands before it is no linear function.
void Fold(const VisionConfig& c, const VisionLayerInputs& in, FloatVisionLayer* w) {
  const int width = c.hidden_size;
  CentreKeys(in.attention, width, w);
  FoldNorm(in.attention, width, &w->norm1, &w->norm1_bias, {&w->q, &w->k, &w->v});
  FoldRows(in.out, width, &w->v, &w->v_bias, &w->out);
  FoldNorm(in.fc1, width, &w->norm2, &w->norm2_bias, {&w->fc1});
}

void WriteLayer(const VisionConfig& c, const FloatVisionLayer& w, int index, bool fine,
                BundleWriter* writer) {
  const std::string prefix = fmt::format("vision.layers.{}.", index);
  const int width = c.hidden_size;
  const auto pack = [&](const char* name, std::initializer_list<const std::vector<float>*> rows,
                        int columns, std::vector<float> bias) {
    PackLinear(writer, prefix + name, RowsOf(rows, columns), columns, std::move(bias), fine);
  };
  WriteFloats(writer, prefix + "norm1.weight", w.norm1);
  WriteFloats(writer, prefix + "norm1.bias", w.norm1_bias);
  WriteFloats(writer, prefix + "norm2.weight", w.norm2);
  WriteFloats(writer, prefix + "norm2.bias", w.norm2_bias);
  pack("q", {&w.q}, width, w.q_bias);
  pack("kv", {&w.k, &w.v}, width, Concatenate({&w.k_bias, &w.v_bias}));
  pack("out", {&w.out}, width, w.out_bias);
  pack("fc1", {&w.fc1}, width, w.fc1_bias);
  pack("fc2", {&w.fc2}, c.intermediate_size, w.fc2_bias);
}

void FoldAdapter(const VisionConfig& c, int text, const AdapterInputs& in, FloatAdapter* w) {
  // The four patches of a square share their norm: their columns are folded as one.
  FoldNorm(in.conv, c.hidden_size, &w->post_norm, &w->post_norm_bias, {&w->conv});
  FoldRows(in.linear, text, &w->conv, &w->conv_bias, &w->linear);
  FoldRows(in.down, c.adapter_size, &w->up, nullptr, &w->down);
}

void WriteAdapter(const VisionConfig& c, int text, const FloatAdapter& w, BundleWriter* writer) {
  const auto pack = [&](const char* name, const RowPointers& rows, int columns,
                        std::vector<float> bias) {
    PackLinear(writer, name, rows, columns, std::move(bias), true);
  };
  WriteFloats(writer, "vision.post_norm.weight", w.post_norm);
  WriteFloats(writer, "vision.post_norm.bias", w.post_norm_bias);
  pack("vision.conv", RowsOf({&w.conv}, 4 * c.hidden_size), 4 * c.hidden_size, w.conv_bias);
  pack("vision.linear", RowsOf({&w.linear}, text), text, {});
  WriteFloats(writer, "vision.adapter_norm.weight", w.norm);
  WriteFloats(writer, "vision.adapter_norm.bias", w.norm_bias);
  pack("vision.gate_up", GateUpRows(w.gate, w.up, text), text, {});
  pack("vision.down", RowsOf({&w.down}, c.adapter_size), c.adapter_size, {});
  WriteFloats(writer, "vision.first_row", w.first_row);
  WriteFloats(writer, "vision.last_row", w.last_row);
}

Status WritePatches(const ModelSource& source, bool fine, BundleWriter* writer) {
  const VisionConfig& c = *source.config().vision;
  const int width = c.hidden_size, values = c.patch_values();
  std::vector<float> patch(static_cast<size_t>(width) * values), bias(static_cast<size_t>(width));
  std::vector<float> positions(static_cast<size_t>(width) * c.patches());
  EG_RETURN_IF_ERROR(source.ReadRows(WeightPart::kPatch, 0, 0, width, patch.data()));
  EG_RETURN_IF_ERROR(source.ReadRows(WeightPart::kPatchBias, 0, 0, 1, bias.data()));
  EG_RETURN_IF_ERROR(source.ReadRows(WeightPart::kPositions, 0, 0, c.patches(), positions.data()));
  PackLinear(writer, "vision.patch", RowsOf({&patch}, values), values, bias, fine);
  WriteFloats(writer, "vision.positions", positions);
  return {};
}

}  // namespace

std::vector<uint8_t> CalibrationPicture(int size) {
  std::vector<uint8_t> pixels(static_cast<size_t>(size) * size * 3);
  uint32_t state = 1;
  for (int y = 0; y < size * 3 / 4; ++y) {
    for (int x = 0; x < size; ++x) {
      state = state * 1664525u + 1013904223u;
      const float noise = static_cast<float>(state >> 24) / 255.0f - 0.5f;
      const float u = static_cast<float>(x) / static_cast<float>(size);
      const float v = static_cast<float>(y) / static_cast<float>(size);
      const bool texture = u > 0.66f, disc = std::hypot(u - 0.3f, v - 0.3f) < 0.2f;
      const bool stripes = v > 0.55f && u < 0.5f;
      for (int channel = 0; channel < 3; ++channel) {
        const float tint = 0.25f * static_cast<float>(channel);
        float value = 0.2f + 0.5f * u + tint * v;
        if (disc) value = channel == 0 ? 0.9f : 0.15f;
        if (stripes) value = x / std::max(1, size / 48) % 2 == 0 ? 0.95f : 0.05f;
        if (texture) value += 0.8f * noise;
        const size_t at = (static_cast<size_t>(y) * size + x) * 3 + channel;
        pixels[at] = static_cast<uint8_t>(std::clamp(value, 0.0f, 1.0f) * 255.0f);
      }
    }
  }
  return pixels;
}

Result<std::vector<float>> WriteVision(const ModelSource& source, int fine_width,
                                       BundleWriter* writer,
                                       const std::function<Status()>& progress) {
  const VisionConfig& c = *source.config().vision;
  const bool fine = c.hidden_size <= fine_width;
  const int text = source.config().hidden_size;
  EG_RETURN_IF_ERROR(WritePatches(source, fine, writer));
  EG_ASSIGN_OR_RETURN(std::vector<float> hidden,
                      EmbedPatchesFloat(source, CalibrationPicture(c.image_size)));
  FloatVisionLayer w;
  for (int layer = 0; layer < c.num_layers; ++layer) {
    EG_RETURN_IF_ERROR(ReadFloatVisionLayer(source, layer, &w));
    const VisionLayerInputs inputs = RunFloatVisionLayer(c, w, &hidden);
    Fold(c, inputs, &w);
    WriteLayer(c, w, layer, fine, writer);
    writer->StartWriteback();
    EG_RETURN_IF_ERROR(progress());
  }
  EG_ASSIGN_OR_RETURN(FloatAdapter adapter, ReadFloatAdapter(source));
  AdapterInputs inputs;
  std::vector<float> rows = RunFloatAdapter(c, text, adapter, hidden, &inputs);
  FoldAdapter(c, text, inputs, &adapter);
  WriteAdapter(c, text, adapter, writer);
  return rows;
}

}  // namespace edgegate
