#include "engine/quantize/smooth_quant.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "engine/base/thread_pool.h"

namespace edgegate {
namespace {

// A norm in front of linear layers: its weight is divided, their columns multiplied.
void FoldNorm(const std::vector<float>& input, int columns, std::vector<float>* norm,
              std::initializer_list<std::vector<float>*> linears) {
  std::vector<float> weight_max(static_cast<size_t>(columns));
  for (const auto* w : linears) RaiseTo(&weight_max, ColumnMaxima(*w, columns));
  const auto factors = SmoothingFactors(ColumnMaxima(input, columns), weight_max);
  DivideRows(norm, factors);
  for (auto* w : linears) ScaleColumns(w, factors);
}

// Query heads of a group share a value head: one factor for all of them.
void FoldValues(const ModelConfig& c, const std::vector<float>& input, FloatLayer* layer) {
  const int group = c.num_heads / c.num_kv_heads;
  auto shared = [&](const std::vector<float>& by_query) {
    std::vector<float> by_kv(static_cast<size_t>(c.kv_size()));
    for (int i = 0; i < c.q_size(); ++i) {
      const int channel = i / c.head_dim / group * c.head_dim + i % c.head_dim;
      by_kv[channel] = std::max(by_kv[channel], by_query[i]);
    }
    return by_kv;
  };
  const auto factors = SmoothingFactors(shared(ColumnMaxima(input, c.q_size())),
                                        shared(ColumnMaxima(layer->o, c.q_size())));
  std::vector<float> by_query(static_cast<size_t>(c.q_size()));
  for (int i = 0; i < c.q_size(); ++i) {
    by_query[i] = factors[i / c.head_dim / group * c.head_dim + i % c.head_dim];
  }
  DivideRows(&layer->v, factors);
  DivideRows(&layer->v_bias, factors);
  ScaleColumns(&layer->o, by_query);
}

}  // namespace

void RaiseTo(std::vector<float>* maxima, const std::vector<float>& other) {
  for (size_t i = 0; i < maxima->size(); ++i) (*maxima)[i] = std::max((*maxima)[i], other[i]);
}

void RaiseToMagnitudes(const float* rows, int64_t count, std::vector<float>* maxima) {
  const auto columns = std::ssize(*maxima);
  float* largest = maxima->data();
  for (; count > 0; --count, rows += columns) {
    for (int64_t i = 0; i < columns; ++i) largest[i] = std::max(largest[i], std::fabs(rows[i]));
  }
}

void ScaleColumns(std::vector<float>* w, const std::vector<float>& factors) {
  const auto columns = std::ssize(factors);
  ParallelFor(std::ssize(*w) / columns, [&](int64_t row) {
    float* x = w->data() + row * columns;
    for (int64_t i = 0; i < columns; ++i) x[i] *= factors[i];
  });
}

void DivideRows(std::vector<float>* w, const std::vector<float>& factors) {
  if (w->empty()) return;
  const int64_t columns = std::ssize(*w) / std::ssize(factors);
  ParallelFor(std::ssize(factors), [&](int64_t row) {
    float* x = w->data() + row * columns;
    for (int64_t i = 0; i < columns; ++i) x[i] /= factors[row];
  });
}

std::vector<float> ColumnMaxima(const std::vector<float>& x, int columns) {
  constexpr int64_t kMostParts = 64;
  const int64_t rows = std::ssize(x) / columns, parts = std::min(kMostParts, rows);
  std::vector<std::vector<float>> maxima(parts, std::vector<float>(static_cast<size_t>(columns)));
  ParallelFor(parts, [&](int64_t part) {
    const int64_t first = rows * part / parts, end = rows * (part + 1) / parts;
    RaiseToMagnitudes(x.data() + first * columns, end - first, &maxima[part]);
  });
  std::vector<float> all(static_cast<size_t>(columns));
  for (const auto& part : maxima) RaiseTo(&all, part);
  return all;
}

std::vector<float> SmoothingFactors(const std::vector<float>& activation_max,
                                    const std::vector<float>& weight_max) {
  std::vector<float> factors(activation_max.size(), 1.0f);
  for (size_t i = 0; i < factors.size(); ++i) {
    if (activation_max[i] < 1e-10f || weight_max[i] < 1e-10f) continue;
    const float steps = std::nearbyintf(4.0f * std::log2(activation_max[i] / weight_max[i]));
    factors[i] = std::exp2(std::clamp(steps, -80.0f, 80.0f) / 8.0f);
  }
  return factors;
}

void FoldLayer(const ModelConfig& c, const LayerInputs& inputs, FloatLayer* layer) {
  FoldNorm(inputs.attention, c.hidden_size, &layer->attention_norm,
           {&layer->q, &layer->k, &layer->v});
  FoldValues(c, inputs.o, layer);
  FoldNorm(inputs.mlp, c.hidden_size, &layer->mlp_norm, {&layer->gate, &layer->up});
  // The up rows stand where a norm would: gate is inside the nonlinearity.
  const auto factors = SmoothingFactors(ColumnMaxima(inputs.down, c.intermediate_size),
                                        ColumnMaxima(layer->down, c.intermediate_size));
  DivideRows(&layer->up, factors);
  DivideRows(&layer->up_bias, factors);
  ScaleColumns(&layer->down, factors);
}

}  // namespace edgegate
