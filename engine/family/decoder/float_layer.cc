#include "engine/family/decoder/float_layer.h"

#include <algorithm>
#include <cmath>

#include "engine/base/thread_pool.h"
#include "engine/family/decoder/float_attention.h"
#include "engine/ops/rows/rope.h"
#include "engine/quantize/float_linear.h"
#include "engine/quantize/parallel_passes.h"
#include "engine/quantize/read_tensors.h"

namespace edgegate {
namespace {

void RotateHeads(const ModelConfig& c, const std::vector<float>& norm, const RopeTable& rope,
                 int heads, std::vector<float>* x) {
  const int64_t row = int64_t{heads} * c.head_dim;
  const int tokens = static_cast<int>(x->size() / static_cast<size_t>(row));
  if (!norm.empty()) *x = RmsNormFloat(*x, norm, c.head_dim, c.rms_norm_eps);
  auto rotate = c.rope.layout == RopeLayout::kInterleaved ? RopeInterleaved : RopeHalfSplit;
  ParallelFor(tokens, [&](int t) {
    for (int head = 0; head < heads; ++head) {
      rotate(x->data() + t * row + int64_t{head} * c.head_dim, rope.half(), rope.cosines(t),
             rope.sines(t));
    }
  });
}

}  // namespace

Status ReadFloatLayer(const ModelSource& source, int layer, FloatLayer* w) {
  const DecoderLayerTensors& t = source.decoder().layers[layer];
  return ReadTensors(source.tensors(), {{t.attention_norm, &w->attention_norm},
                                        {t.mlp_norm, &w->mlp_norm},
                                        {t.q, &w->q},
                                        {t.k, &w->k},
                                        {t.v, &w->v},
                                        {t.o, &w->o},
                                        {t.gate, &w->gate},
                                        {t.up, &w->up},
                                        {t.down, &w->down},
                                        {t.q_norm, &w->q_norm},
                                        {t.k_norm, &w->k_norm},
                                        {t.q_bias, &w->q_bias},
                                        {t.k_bias, &w->k_bias},
                                        {t.v_bias, &w->v_bias},
                                        {t.o_bias, &w->o_bias},
                                        {t.gate_bias, &w->gate_bias},
                                        {t.up_bias, &w->up_bias},
                                        {t.down_bias, &w->down_bias}});
}

Result<FloatLayer> ReadFloatLayer(const ModelSource& source, int layer) {
  FloatLayer w;
  EG_RETURN_IF_ERROR(ReadFloatLayer(source, layer, &w));
  return w;
}

LayerInputs RunFloatLayer(const ModelConfig& c, const FloatLayer& w, std::vector<float>* hidden,
                          int sequence) {
  const int h = c.hidden_size, f = c.intermediate_size;
  const int tokens = static_cast<int>(hidden->size()) / h;
  if (sequence == 0) sequence = tokens;
  std::vector<int32_t> positions(static_cast<size_t>(tokens));
  for (int t = 0; t < tokens; ++t) positions[t] = t % sequence;
  RopeTable rope(c.rope.rotary_dim, c.rope.theta, c.rope.frequency_divisors);
  rope.SetPositions(positions);
  LayerInputs in;
  in.attention = RmsNormFloat(*hidden, w.attention_norm, h, c.rms_norm_eps);
  std::vector<float> q = LinearFloat(in.attention, w.q, c.q_size(), h, w.q_bias);
  std::vector<float> k = LinearFloat(in.attention, w.k, c.kv_size(), h, w.k_bias);
  const std::vector<float> v = LinearFloat(in.attention, w.v, c.kv_size(), h, w.v_bias);
  RotateHeads(c, w.q_norm, rope, c.num_heads, &q);
  RotateHeads(c, w.k_norm, rope, c.num_kv_heads, &k);
  in.o = CausalAttention(c, q, k, v, sequence);
  AddTo(hidden, LinearFloat(in.o, w.o, h, c.q_size(), w.o_bias));
  in.mlp = RmsNormFloat(*hidden, w.mlp_norm, h, c.rms_norm_eps);
  in.down = LinearFloat(in.mlp, w.gate, f, h, w.gate_bias);
  const std::vector<float> up = LinearFloat(in.mlp, w.up, f, h, w.up_bias);
  GateWith(up, &in.down);
  AddTo(hidden, LinearFloat(in.down, w.down, h, f, w.down_bias));
  return in;
}

Result<std::vector<float>> EmbedFloat(const ModelSource& source, std::span<const int32_t> tokens) {
  const int h = source.config().hidden_size;
  std::vector<float> hidden(tokens.size() * static_cast<size_t>(h));
  for (size_t t = 0; t < tokens.size(); ++t) {
    EG_RETURN_IF_ERROR(source.tensors().ReadRows(source.decoder().embedding, tokens[t], 1,
                                                 hidden.data() + t * static_cast<size_t>(h)));
  }
  return hidden;
}

Result<std::vector<float>> FloatLogits(const ModelSource& source, std::span<const int32_t> tokens) {
  const ModelConfig& c = source.config();
  EG_ASSIGN_OR_RETURN(std::vector<float> hidden, EmbedFloat(source, tokens));
  for (int layer = 0; layer < c.num_layers; ++layer) {
    EG_ASSIGN_OR_RETURN(const FloatLayer w, ReadFloatLayer(source, layer));
    RunFloatLayer(c, w, &hidden);
  }
  std::vector<float> norm, head;
  const DecoderTensors& t = source.decoder();
  EG_RETURN_IF_ERROR(ReadTensors(source.tensors(), {{t.final_norm, &norm}, {t.lm_head, &head}}));
  return LinearFloat(RmsNormFloat(hidden, norm, c.hidden_size, c.rms_norm_eps), head, c.vocab_size,
                     c.hidden_size, {});
}

}  // namespace edgegate
