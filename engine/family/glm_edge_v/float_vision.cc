#include "engine/family/glm_edge_v/float_vision.h"

#include <algorithm>
#include <cmath>

#include "engine/base/thread_pool.h"
#include "engine/family/decoder/float_layer.h"
#include "engine/family/read_parts.h"
#include "engine/quantize/float_gemm.h"
#include "engine/quantize/parallel_passes.h"
#include "engine/quantize/softmax.h"

namespace edgegate {
namespace {

constexpr int kSoftmaxRows = 8;  // of a task

float GeluTanh(float x) {
  return 0.5f * x * (1.0f + std::tanh(0.7978845608f * (x + 0.044715f * x * x * x)));
}

float GeluErf(float x) { return 0.5f * x * (1.0f + std::erf(x * 0.7071067812f)); }

// Every patch sees every patch.
std::vector<float> AttendAll(const VisionConfig& c, const std::vector<float>& q,
                             const std::vector<float>& k, const std::vector<float>& v) {
  const int n = c.patches(), width = c.hidden_size, dim = c.head_dim();
  std::vector<float> out(q.size()), scores(static_cast<size_t>(n) * n);
  const float scale = 1.0f / std::sqrt(static_cast<float>(dim));
  for (int head = 0; head < c.num_heads; ++head) {
    const int64_t at = int64_t{head} * dim;
    Gemm(n, n, dim, scale, {q.data() + at, width}, {k.data() + at, width, true}, 0.0f,
         scores.data(), n);
    ParallelFor((n + kSoftmaxRows - 1) / kSoftmaxRows, [&](int i) {
      const int row = i * kSoftmaxRows;
      SoftmaxRows(scores.data() + int64_t{row} * n, n, std::min(kSoftmaxRows, n - row), n);
    });
    Gemm(n, dim, n, 1.0f, {scores.data(), n}, {v.data() + at, width}, 0.0f, out.data() + at, width);
  }
  return out;
}

}  // namespace

std::vector<float> LayerNormFloat(const std::vector<float>& x, const std::vector<float>& weight,
                                  const std::vector<float>& bias, int columns, float eps) {
  std::vector<float> out(x.size());
  ParallelFor(std::ssize(x) / columns, [&](int64_t row) {
    const float* from = x.data() + row * columns;
    float* to = out.data() + row * columns;
    double sum = 0, squares = 0;
    for (int i = 0; i < columns; ++i) sum += double{from[i]};
    const double mean = sum / columns;
    for (int i = 0; i < columns; ++i) squares += (from[i] - mean) * (from[i] - mean);
    const double inverse = 1.0 / std::sqrt(squares / columns + double{eps});
    for (int i = 0; i < columns; ++i) {
      to[i] = static_cast<float>((from[i] - mean) * inverse) * weight[i] + bias[i];
    }
  });
  return out;
}

Status ReadFloatVisionLayer(const ModelSource& source, int layer, FloatVisionLayer* l) {
  const VisionConfig& c = *source.config().vision;
  const int64_t w = c.hidden_size, f = c.intermediate_size;
  return ReadParts(source, layer,
                   {{WeightPart::kVisionNorm1, 1, w, &l->norm1},
                    {WeightPart::kVisionNorm1Bias, 1, w, &l->norm1_bias},
                    {WeightPart::kVisionQ, w, w, &l->q},
                    {WeightPart::kVisionQBias, 1, w, &l->q_bias},
                    {WeightPart::kVisionK, w, w, &l->k},
                    {WeightPart::kVisionKBias, 1, w, &l->k_bias},
                    {WeightPart::kVisionV, w, w, &l->v},
                    {WeightPart::kVisionVBias, 1, w, &l->v_bias},
                    {WeightPart::kVisionOut, w, w, &l->out},
                    {WeightPart::kVisionOutBias, 1, w, &l->out_bias},
                    {WeightPart::kVisionNorm2, 1, w, &l->norm2},
                    {WeightPart::kVisionNorm2Bias, 1, w, &l->norm2_bias},
                    {WeightPart::kFc1, f, w, &l->fc1},
                    {WeightPart::kFc1Bias, 1, f, &l->fc1_bias},
                    {WeightPart::kFc2, w, f, &l->fc2},
                    {WeightPart::kFc2Bias, 1, w, &l->fc2_bias}});
}

Result<FloatVisionLayer> ReadFloatVisionLayer(const ModelSource& source, int layer) {
  FloatVisionLayer w;
  EG_RETURN_IF_ERROR(ReadFloatVisionLayer(source, layer, &w));
  return w;
}

VisionLayerInputs RunFloatVisionLayer(const VisionConfig& c, const FloatVisionLayer& w,
                                      std::vector<float>* hidden) {
  const int width = c.hidden_size, inner = c.intermediate_size;
  VisionLayerInputs in;
  in.attention = LayerNormFloat(*hidden, w.norm1, w.norm1_bias, width, c.layer_norm_eps);
  const auto q = LinearFloat(in.attention, w.q, width, width, w.q_bias);
  const auto k = LinearFloat(in.attention, w.k, width, width, w.k_bias);
  const auto v = LinearFloat(in.attention, w.v, width, width, w.v_bias);
  in.out = AttendAll(c, q, k, v);
  AddTo(hidden, LinearFloat(in.out, w.out, width, width, w.out_bias));
  in.fc1 = LayerNormFloat(*hidden, w.norm2, w.norm2_bias, width, c.layer_norm_eps);
  auto middle = LinearFloat(in.fc1, w.fc1, inner, width, w.fc1_bias);
  ForRanges(std::ssize(middle), [&](int64_t first, int64_t end) {
    for (int64_t i = first; i < end; ++i) middle[i] = GeluTanh(middle[i]);
  });
  AddTo(hidden, LinearFloat(middle, w.fc2, width, inner, w.fc2_bias));
  return in;
}

Result<FloatAdapter> ReadFloatAdapter(const ModelSource& source) {
  const VisionConfig& c = *source.config().vision;
  const int64_t w = c.hidden_size, h = source.config().hidden_size, a = c.adapter_size;
  FloatAdapter f;
  std::vector<float> conv;
  EG_RETURN_IF_ERROR(ReadParts(source, 0,
                               {{WeightPart::kPostNorm, 1, w, &f.post_norm},
                                {WeightPart::kPostNormBias, 1, w, &f.post_norm_bias},
                                {WeightPart::kConv, h, 4 * w, &conv},
                                {WeightPart::kConvBias, 1, h, &f.conv_bias},
                                {WeightPart::kAdapterLinear, h, h, &f.linear},
                                {WeightPart::kAdapterNorm, 1, h, &f.norm},
                                {WeightPart::kAdapterNormBias, 1, h, &f.norm_bias},
                                {WeightPart::kAdapterGate, a, h, &f.gate},
                                {WeightPart::kAdapterUp, a, h, &f.up},
                                {WeightPart::kAdapterDown, h, a, &f.down},
                                {WeightPart::kFirstRow, 1, h, &f.first_row},
                                {WeightPart::kLastRow, 1, h, &f.last_row}}));
  // From [h][channel][2][2] to [h][2][2][channel].
  f.conv.resize(conv.size());
  ParallelFor(h, [&](int64_t row) {
    for (int64_t channel = 0; channel < w; ++channel) {
      for (int64_t part = 0; part < 4; ++part) {
        f.conv[row * 4 * w + part * w + channel] = conv[(row * w + channel) * 4 + part];
      }
    }
  });
  return f;
}

std::vector<float> RunFloatAdapter(const VisionConfig& c, int text_size, const FloatAdapter& w,
                                   const std::vector<float>& hidden, AdapterInputs* in) {
  const int width = c.hidden_size, grid = c.grid(), half = grid / 2;
  const auto normalized =
      LayerNormFloat(hidden, w.post_norm, w.post_norm_bias, width, c.layer_norm_eps);
  in->conv.resize(size_t{4} * half * half * width);
  float* to = in->conv.data();
  for (int i = 0; i < half * half; ++i) {
    for (int part = 0; part < 4; ++part, to += width) {
      const int y = i / half * 2 + part / 2, x = i % half * 2 + part % 2;
      std::copy_n(normalized.data() + int64_t{y * grid + x} * width, width, to);
    }
  }
  in->linear = LinearFloat(in->conv, w.conv, text_size, 4 * width, w.conv_bias);
  in->gate_up = LayerNormFloat(LinearFloat(in->linear, w.linear, text_size, text_size, {}), w.norm,
                               w.norm_bias, text_size, 1e-5f);
  ForRanges(std::ssize(in->gate_up), [&](int64_t first, int64_t end) {
    for (int64_t i = first; i < end; ++i) in->gate_up[i] = GeluErf(in->gate_up[i]);
  });
  in->down = LinearFloat(in->gate_up, w.gate, c.adapter_size, text_size, {});
  const auto up = LinearFloat(in->gate_up, w.up, c.adapter_size, text_size, {});
  GateWith(up, &in->down);
  std::vector<float> rows = w.first_row;
  const auto middle = LinearFloat(in->down, w.down, text_size, c.adapter_size, {});
  rows.insert(rows.end(), middle.begin(), middle.end());
  rows.insert(rows.end(), w.last_row.begin(), w.last_row.end());
  return rows;
}

Result<std::vector<float>> EmbedPatchesFloat(const ModelSource& source,
                                             const std::vector<uint8_t>& pixels) {
  const VisionConfig& c = *source.config().vision;
  const int patch = c.patch_size, values = c.patch_values();
  std::vector<float> weight, bias, positions;
  EG_RETURN_IF_ERROR(ReadParts(source, 0,
                               {{WeightPart::kPatch, c.hidden_size, values, &weight},
                                {WeightPart::kPatchBias, 1, c.hidden_size, &bias},
                                {WeightPart::kPositions, c.patches(), c.hidden_size, &positions}}));
  std::vector<float> x;
  x.reserve(static_cast<size_t>(c.patches()) * values);
  for (int i = 0; i < c.patches(); ++i) {
    const int top = i / c.grid() * patch, left = i % c.grid() * patch;
    for (int j = 0; j < values; ++j) {
      const int channel = j / (patch * patch), row = j / patch % patch, column = j % patch;
      const size_t at = (static_cast<size_t>(top + row) * c.image_size + left + column) * 3;
      x.push_back(static_cast<float>(pixels[at + channel]) * (2.0f / 255.0f) - 1.0f);
    }
  }
  AddTo(&positions, LinearFloat(x, weight, c.hidden_size, values, bias));
  return positions;
}

Result<std::vector<float>> FloatImageRows(const ModelSource& source,
                                          const std::vector<uint8_t>& pixels) {
  const VisionConfig& c = *source.config().vision;
  EG_ASSIGN_OR_RETURN(std::vector<float> hidden, EmbedPatchesFloat(source, pixels));
  for (int layer = 0; layer < c.num_layers; ++layer) {
    EG_ASSIGN_OR_RETURN(const FloatVisionLayer w, ReadFloatVisionLayer(source, layer));
    RunFloatVisionLayer(c, w, &hidden);
  }
  EG_ASSIGN_OR_RETURN(const FloatAdapter adapter, ReadFloatAdapter(source));
  AdapterInputs inputs;
  return RunFloatAdapter(c, source.config().hidden_size, adapter, hidden, &inputs);
}

}  // namespace edgegate
