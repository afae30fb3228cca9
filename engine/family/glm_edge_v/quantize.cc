#include "engine/family/glm_edge_v/quantize.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/base/thread_pool.h"
#include "engine/family/glm_edge_v/float_reference.h"
#include "engine/quantize/linear_packer.h"
#include "engine/quantize/read_tensors.h"
#include "engine/quantize/smooth_quant.h"
#include "engine/quantize/work_sizes.h"

namespace edgegate::glm_edge_v {
namespace {

void WriteFloats(BundleWriter* writer, const std::string& name, const std::vector<float>& values) {
  writer->Write(name, values.data(), values.size() * 4);
}

// Folds the factors of linear layers into the norm before them. The norm's weights are divided by
// the factors, and the layers' columns are multiplied by them.
void FoldNorm(const std::vector<float>& input, int columns, std::vector<float>* weight,
              std::vector<float>* bias, std::initializer_list<std::vector<float>*> linears) {
  std::vector<float> largest(static_cast<size_t>(columns));
  for (const auto* w : linears) RaiseTo(&largest, ColumnMaxima(*w, columns));
  const auto factors = SmoothingFactors(ColumnMaxima(input, columns), largest);
  DivideRows(weight, factors);
  DivideRows(bias, factors);
  for (auto* w : linears) ScaleColumns(w, factors);
}

// Folds the factors of a linear layer into the linear layer before it, whose rows are divided by
// them.
void FoldRows(const std::vector<float>& input, int columns, std::vector<float>* from,
              std::vector<float>* from_bias, std::vector<float>* to) {
  const auto factors = SmoothingFactors(ColumnMaxima(input, columns), ColumnMaxima(*to, columns));
  DivideRows(from, factors);
  if (from_bias != nullptr) DivideRows(from_bias, factors);
  ScaleColumns(to, factors);
}

// Shifts the keys so that their mean over the image is zero. A part that all keys share adds the
// same value to all scores of a query, and the softmax cancels it. Without that part, the
// quantization steps are finer (Zhang et al. 2024, arXiv:2410.02367).
void CenterKeys(const std::vector<float>& input, int columns, FloatLayer* w) {
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

// fc2 is not folded, because the function before it is not linear.
void Fold(const Config& c, const LayerInputs& in, FloatLayer* w) {
  const int width = c.hidden_size;
  CenterKeys(in.attention, width, w);
  FoldNorm(in.attention, width, &w->norm1, &w->norm1_bias, {&w->q, &w->k, &w->v});
  FoldRows(in.out, width, &w->v, &w->v_bias, &w->out);
  FoldNorm(in.fc1, width, &w->norm2, &w->norm2_bias, {&w->fc1});
}

void WriteLayer(const Config& c, const FloatLayer& w, int index, bool narrow,
                BundleWriter* writer) {
  const std::string prefix = fmt::format("vision.layers.{}.", index);
  const int width = c.hidden_size;
  const auto pack = [&](const char* name, std::initializer_list<const std::vector<float>*> rows,
                        int columns, std::vector<float> bias) {
    PackLinear(writer, prefix + name, RowsOf(rows, columns), columns, std::move(bias),
               IntPackerOf(narrow));
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

void FoldAdapter(const Config& c, int text, const AdapterInputs& in, FloatAdapter* w) {
  // The four patches of a square share their norm. So their columns share their factors.
  FoldNorm(in.conv, c.hidden_size, &w->post_norm, &w->post_norm_bias, {&w->conv});
  FoldRows(in.linear, text, &w->conv, &w->conv_bias, &w->linear);
  FoldRows(in.down, c.adapter_size, &w->up, nullptr, &w->down);
}

void WriteAdapter(const Config& c, int text, const FloatAdapter& w, BundleWriter* writer) {
  const auto pack = [&](const char* name, const RowPointers& rows, int columns,
                        std::vector<float> bias) {
    PackLinear(writer, name, rows, columns, std::move(bias), MakeInt16Packer);
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

Status WritePatches(const Config& c, const TensorFiles& files, const Tensors& t, bool narrow,
                    BundleWriter* writer) {
  std::vector<float> patch, bias, positions;
  EG_RETURN_IF_ERROR(
      ReadTensors(files, {{t.patch, &patch}, {t.patch_bias, &bias}, {t.positions, &positions}}));
  PackLinear(writer, "vision.patch", RowsOf({&patch}, c.patch_values()), c.patch_values(), bias,
             IntPackerOf(narrow));
  WriteFloats(writer, "vision.positions", positions);
  return {};
}

}  // namespace

std::vector<uint8_t> CalibrationImage(int size) {
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

Work EstimateWork(const Config& c, int text_size) {
  const double patches = c.patches(), width = c.hidden_size, inner = c.intermediate_size;
  Work work;
  work.layer = Int8LinearWork(4 * width, width, patches) +
               Int8LinearWork(2 * width, inner, patches) +
               patches * patches * (width * 4 * kFlopWork + c.num_heads * kExpWork) +
               patches * inner * kGeluWork;
  const double h = text_size, rows = patches / 4, adapter = c.adapter_size;
  work.adapter = Int8LinearWork(h, 4 * width + h + 3 * adapter, rows);
  return work;
}

Result<std::vector<float>> Quantize(const Config& c, int text_size, const TensorFiles& files,
                                    const Tensors& tensors, int narrow_width, BundleWriter* writer,
                                    const std::function<Status(double work)>& progress) {
  const bool narrow = c.hidden_size <= narrow_width;
  const Work work = EstimateWork(c, text_size);
  EG_RETURN_IF_ERROR(WritePatches(c, files, tensors, narrow, writer));
  EG_ASSIGN_OR_RETURN(std::vector<float> hidden,
                      EmbedPatches(c, files, tensors, CalibrationImage(c.canvas)));
  FloatLayer w;
  for (int layer = 0; layer < c.num_layers; ++layer) {
    EG_RETURN_IF_ERROR(ReadLayer(files, tensors.layers[layer], &w));
    const LayerInputs inputs = RunLayer(c, w, &hidden);
    Fold(c, inputs, &w);
    WriteLayer(c, w, layer, narrow, writer);
    writer->StartWriteback();
    EG_RETURN_IF_ERROR(progress(work.layer));
  }
  EG_ASSIGN_OR_RETURN(FloatAdapter adapter, ReadAdapter(files, tensors));
  AdapterInputs inputs;
  std::vector<float> rows = RunAdapter(c, text_size, adapter, hidden, &inputs);
  FoldAdapter(c, text_size, inputs, &adapter);
  WriteAdapter(c, text_size, adapter, writer);
  EG_RETURN_IF_ERROR(progress(work.adapter));
  return rows;
}

}  // namespace edgegate::glm_edge_v
