#include "engine/family/bert/float_reference.h"

#include "engine/family/bert/pool.h"
#include "engine/quantize/float_attention.h"
#include "engine/quantize/float_linear.h"
#include "engine/quantize/parallel_passes.h"
#include "engine/quantize/read_tensors.h"

namespace edgegate::bert {
namespace {

// Returns the sums of the embeddings of words, positions and token type 0, normalized.
Result<std::vector<float>> EmbedTokens(const Config& c, const TensorFiles& files, const Tensors& t,
                                       const std::vector<int32_t>& tokens) {
  std::vector<float> norm, bias, type, hidden(tokens.size() * c.hidden_size);
  EG_RETURN_IF_ERROR(
      ReadTensors(files, {{t.norm, &norm}, {t.norm_bias, &bias}, {t.token_type, &type}}));
  std::vector<float> position(c.hidden_size);
  for (size_t i = 0; i < tokens.size(); ++i) {
    float* row = hidden.data() + i * c.hidden_size;
    EG_RETURN_IF_ERROR(files.ReadRows(t.words, tokens[i], 1, row));
    EG_RETURN_IF_ERROR(files.ReadRows(t.positions, static_cast<int>(i), 1, position.data()));
    for (int j = 0; j < c.hidden_size; ++j) row[j] += position[j] + type[j];
  }
  return LayerNormFloat(hidden, norm, bias, c.hidden_size, c.layer_norm_eps);
}

}  // namespace

Status ReadLayer(const TensorFiles& files, const LayerTensors& t, FloatLayer* l) {
  return ReadTensors(files, {{t.q, &l->q},
                             {t.q_bias, &l->q_bias},
                             {t.k, &l->k},
                             {t.k_bias, &l->k_bias},
                             {t.v, &l->v},
                             {t.v_bias, &l->v_bias},
                             {t.out, &l->out},
                             {t.out_bias, &l->out_bias},
                             {t.attention_norm, &l->attention_norm},
                             {t.attention_norm_bias, &l->attention_norm_bias},
                             {t.up, &l->up},
                             {t.up_bias, &l->up_bias},
                             {t.down, &l->down},
                             {t.down_bias, &l->down_bias},
                             {t.mlp_norm, &l->mlp_norm},
                             {t.mlp_norm_bias, &l->mlp_norm_bias}});
}

void RunLayer(const Config& c, const FloatLayer& w, std::vector<float>* hidden) {
  const int width = c.hidden_size, inner = c.intermediate_size;
  const auto q = LinearFloat(*hidden, w.q, width, width, w.q_bias);
  const auto k = LinearFloat(*hidden, w.k, width, width, w.k_bias);
  const auto v = LinearFloat(*hidden, w.v, width, width, w.v_bias);
  AddTo(hidden,
        LinearFloat(AttendAllFloat(q, k, v, width, c.num_heads), w.out, width, width, w.out_bias));
  *hidden =
      LayerNormFloat(*hidden, w.attention_norm, w.attention_norm_bias, width, c.layer_norm_eps);
  auto middle = LinearFloat(*hidden, w.up, inner, width, w.up_bias);
  ApplyGelu(c.activation == Activation::kGeluErf ? GeluErfRow : GeluRow, &middle);
  AddTo(hidden, LinearFloat(middle, w.down, width, inner, w.down_bias));
  *hidden = LayerNormFloat(*hidden, w.mlp_norm, w.mlp_norm_bias, width, c.layer_norm_eps);
}

Result<std::vector<float>> EmbedText(const Config& c, const TensorFiles& files, const Tensors& t,
                                     const std::vector<int32_t>& tokens) {
  EG_ASSIGN_OR_RETURN(std::vector<float> hidden, EmbedTokens(c, files, t, tokens));
  FloatLayer w;
  for (const LayerTensors& layer : t.layers) {
    EG_RETURN_IF_ERROR(ReadLayer(files, layer, &w));
    RunLayer(c, w, &hidden);
  }
  std::vector<float> embedding(c.hidden_size);
  PoolRows(c.embedding, hidden.data(), static_cast<int>(tokens.size()), c.hidden_size,
           embedding.data());
  return embedding;
}

}  // namespace edgegate::bert
