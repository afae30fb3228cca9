#include "engine/family/glm_edge_v/float_reference.h"

#include <algorithm>
#include <cmath>

#include "engine/base/thread_pool.h"
#include "engine/quantize/float_attention.h"
#include "engine/quantize/float_gemm.h"
#include "engine/quantize/float_linear.h"
#include "engine/quantize/parallel_passes.h"
#include "engine/quantize/read_tensors.h"

namespace edgegate::glm_edge_v {
Status ReadLayer(const TensorFiles& files, const LayerTensors& t, FloatLayer* l) {
  return ReadTensors(files, {{t.norm1, &l->norm1},
                             {t.norm1_bias, &l->norm1_bias},
                             {t.q, &l->q},
                             {t.q_bias, &l->q_bias},
                             {t.k, &l->k},
                             {t.k_bias, &l->k_bias},
                             {t.v, &l->v},
                             {t.v_bias, &l->v_bias},
                             {t.out, &l->out},
                             {t.out_bias, &l->out_bias},
                             {t.norm2, &l->norm2},
                             {t.norm2_bias, &l->norm2_bias},
                             {t.fc1, &l->fc1},
                             {t.fc1_bias, &l->fc1_bias},
                             {t.fc2, &l->fc2},
                             {t.fc2_bias, &l->fc2_bias}});
}

LayerInputs RunLayer(const Config& c, const FloatLayer& w, std::vector<float>* hidden) {
  const int width = c.hidden_size, inner = c.intermediate_size;
  LayerInputs in;
  in.attention = LayerNormFloat(*hidden, w.norm1, w.norm1_bias, width, c.layer_norm_eps);
  const auto q = LinearFloat(in.attention, w.q, width, width, w.q_bias);
  const auto k = LinearFloat(in.attention, w.k, width, width, w.k_bias);
  const auto v = LinearFloat(in.attention, w.v, width, width, w.v_bias);
  in.out = AttendAllFloat(q, k, v, width, c.num_heads);
  AddTo(hidden, LinearFloat(in.out, w.out, width, width, w.out_bias));
  in.fc1 = LayerNormFloat(*hidden, w.norm2, w.norm2_bias, width, c.layer_norm_eps);
  auto middle = LinearFloat(in.fc1, w.fc1, inner, width, w.fc1_bias);
  ApplyGelu(GeluRow, &middle);
  AddTo(hidden, LinearFloat(middle, w.fc2, width, inner, w.fc2_bias));
  return in;
}

Result<FloatAdapter> ReadAdapter(const TensorFiles& files, const Tensors& t) {
  FloatAdapter f;
  std::vector<float> conv;
  EG_RETURN_IF_ERROR(ReadTensors(files, {{t.post_norm, &f.post_norm},
                                         {t.post_norm_bias, &f.post_norm_bias},
                                         {t.conv, &conv},
                                         {t.conv_bias, &f.conv_bias},
                                         {t.linear, &f.linear},
                                         {t.adapter_norm, &f.norm},
                                         {t.adapter_norm_bias, &f.norm_bias},
                                         {t.gate, &f.gate},
                                         {t.up, &f.up},
                                         {t.down, &f.down},
                                         {t.first_row, &f.first_row},
                                         {t.last_row, &f.last_row}}));
  const int64_t h = t.conv.rows, w = t.conv.cols / 4;
  // Reorders from [h][channel][2][2] to [h][2][2][channel].
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

std::vector<float> RunAdapter(const Config& c, int text_size, const FloatAdapter& w,
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
  ApplyGelu(GeluErfRow, &in->gate_up);
  in->down = LinearFloat(in->gate_up, w.gate, c.adapter_size, text_size, {});
  const auto up = LinearFloat(in->gate_up, w.up, c.adapter_size, text_size, {});
  GateWith(up, &in->down);
  std::vector<float> rows = w.first_row;
  const auto middle = LinearFloat(in->down, w.down, text_size, c.adapter_size, {});
  rows.insert(rows.end(), middle.begin(), middle.end());
  rows.insert(rows.end(), w.last_row.begin(), w.last_row.end());
  return rows;
}

Result<std::vector<float>> EmbedPatches(const Config& c, const TensorFiles& files, const Tensors& t,
                                        const std::vector<uint8_t>& pixels) {
  const int patch = c.patch_size, values = c.patch_values();
  std::vector<float> weight, bias, positions;
  EG_RETURN_IF_ERROR(
      ReadTensors(files, {{t.patch, &weight}, {t.patch_bias, &bias}, {t.positions, &positions}}));
  std::vector<float> x;
  x.reserve(static_cast<size_t>(c.patches()) * values);
  for (int i = 0; i < c.patches(); ++i) {
    const int top = i / c.grid() * patch, left = i % c.grid() * patch;
    for (int j = 0; j < values; ++j) {
      const int channel = j / (patch * patch), row = j / patch % patch, column = j % patch;
      const size_t at = (static_cast<size_t>(top + row) * c.canvas + left + column) * 3;
      x.push_back(static_cast<float>(pixels[at + channel]) * (2.0f / 255.0f) - 1.0f);
    }
  }
  AddTo(&positions, LinearFloat(x, weight, c.hidden_size, values, bias));
  return positions;
}

Result<std::vector<float>> ImageRows(const Config& c, int text_size, const TensorFiles& files,
                                     const Tensors& t, const std::vector<uint8_t>& pixels) {
  EG_ASSIGN_OR_RETURN(std::vector<float> hidden, EmbedPatches(c, files, t, pixels));
  FloatLayer w;
  for (const LayerTensors& layer : t.layers) {
    EG_RETURN_IF_ERROR(ReadLayer(files, layer, &w));
    RunLayer(c, w, &hidden);
  }
  EG_ASSIGN_OR_RETURN(const FloatAdapter adapter, ReadAdapter(files, t));
  AdapterInputs inputs;
  return RunAdapter(c, text_size, adapter, hidden, &inputs);
}

}  // namespace edgegate::glm_edge_v
