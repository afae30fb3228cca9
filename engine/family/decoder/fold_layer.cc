#include "engine/family/decoder/fold_layer.h"

#include <algorithm>
#include <initializer_list>

#include "engine/quantize/smooth_quant.h"

namespace edgegate {
namespace {

// Folds the factors of linear layers into the norm before them. The norm's weight is divided by the
// factors, and the layers' columns are multiplied by them.
void FoldNorm(const std::vector<float>& input, int columns, std::vector<float>* norm,
              std::initializer_list<std::vector<float>*> linears) {
  std::vector<float> weight_max(static_cast<size_t>(columns));
  for (const auto* w : linears) RaiseTo(&weight_max, ColumnMaxima(*w, columns));
  const auto factors = SmoothingFactors(ColumnMaxima(input, columns), weight_max);
  DivideRows(norm, factors);
  for (auto* w : linears) ScaleColumns(w, factors);
}

// The query heads of a group share a value head, and one factor.
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

void FoldLayer(const ModelConfig& c, const LayerInputs& inputs, FloatLayer* layer) {
  FoldNorm(inputs.attention, c.hidden_size, &layer->attention_norm,
           {&layer->q, &layer->k, &layer->v});
  FoldValues(c, inputs.o, layer);
  FoldNorm(inputs.mlp, c.hidden_size, &layer->mlp_norm, {&layer->gate, &layer->up});
  // The factors of `down` go into the rows of `up`, because `gate` is the input of the nonlinear
  // function.
  const auto factors = SmoothingFactors(ColumnMaxima(inputs.down, c.intermediate_size),
                                        ColumnMaxima(layer->down, c.intermediate_size));
  DivideRows(&layer->up, factors);
  DivideRows(&layer->up_bias, factors);
  ScaleColumns(&layer->down, factors);
}

}  // namespace edgegate
