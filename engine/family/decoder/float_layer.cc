#include "engine/family/decoder/float_layer.h"

#include <algorithm>
#include <cmath>

#include "engine/base/thread_pool.h"
#include "engine/family/decoder/float_attention.h"
#include "engine/family/read_parts.h"
#include "engine/ops/rows/rope.h"
#include "engine/quantize/float_gemm.h"
#include "engine/quantize/parallel_passes.h"

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
  const ModelConfig& c = source.config();
  const int64_t h = c.hidden_size, f = c.intermediate_size, q = c.q_size(), kv = c.kv_size();
  std::vector<PartToRead> parts = {{WeightPart::kAttentionNorm, 1, h, &w->attention_norm},
                                   {WeightPart::kMlpNorm, 1, h, &w->mlp_norm},
                                   {WeightPart::kQ, q, h, &w->q},
                                   {WeightPart::kK, kv, h, &w->k},
                                   {WeightPart::kV, kv, h, &w->v},
                                   {WeightPart::kO, h, q, &w->o},
                                   {WeightPart::kGate, f, h, &w->gate},
                                   {WeightPart::kUp, f, h, &w->up},
                                   {WeightPart::kDown, h, f, &w->down}};
  const auto also = [&](bool there, std::initializer_list<PartToRead> more) {
    if (there) parts.insert(parts.end(), more);
  };
  also(c.qk_norm, {{WeightPart::kQNorm, 1, c.head_dim, &w->q_norm},
                   {WeightPart::kKNorm, 1, c.head_dim, &w->k_norm}});
  also(c.qkv_bias, {{WeightPart::kQBias, 1, q, &w->q_bias},
                    {WeightPart::kKBias, 1, kv, &w->k_bias},
                    {WeightPart::kVBias, 1, kv, &w->v_bias}});
  also(c.o_bias, {{WeightPart::kOBias, 1, h, &w->o_bias}});
  also(c.mlp_bias, {{WeightPart::kGateBias, 1, f, &w->gate_bias},
                    {WeightPart::kUpBias, 1, f, &w->up_bias},
                    {WeightPart::kDownBias, 1, h, &w->down_bias}});
  return ReadParts(source, layer, parts);
}

Result<FloatLayer> ReadFloatLayer(const ModelSource& source, int layer) {
  FloatLayer w;
  EG_RETURN_IF_ERROR(ReadFloatLayer(source, layer, &w));
  return w;
}

std::vector<float> RmsNormFloat(const std::vector<float>& x, const std::vector<float>& weight,
                                int columns, float eps) {
  std::vector<float> out(x.size());
  ParallelFor(std::ssize(x) / columns, [&](int64_t row) {
    const float* from = x.data() + row * columns;
    float* to = out.data() + row * columns;
    double sum = 0;
    for (int i = 0; i < columns; ++i) sum += double{from[i]} * from[i];
    const auto inverse = static_cast<float>(1.0 / std::sqrt(sum / columns + double{eps}));
    for (int i = 0; i < columns; ++i) to[i] = from[i] * inverse * weight[i];
  });
  return out;
}

std::vector<float> LinearFloat(const std::vector<float>& x, const std::vector<float>& w, int n,
                               int k, const std::vector<float>& bias) {
  const auto m = static_cast<int64_t>(x.size()) / k;
  std::vector<float> out(static_cast<size_t>(m * n));
  Gemm(m, n, k, 1.0f, {x.data(), k}, {w.data(), k, true}, 0.0f, out.data(), n);
  if (!bias.empty()) {
    ParallelFor(m, [&](int64_t row) {
      for (int i = 0; i < n; ++i) out[row * n + i] += bias[i];
    });
  }
  return out;
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
    EG_RETURN_IF_ERROR(source.ReadRows(WeightPart::kEmbedding, 0, tokens[t], 1,
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
  EG_RETURN_IF_ERROR(ReadParts(source, 0,
                               {{WeightPart::kFinalNorm, 1, c.hidden_size, &norm},
                                {WeightPart::kLmHead, c.vocab_size, c.hidden_size, &head}}));
  return LinearFloat(RmsNormFloat(hidden, norm, c.hidden_size, c.rms_norm_eps), head, c.vocab_size,
                     c.hidden_size, {});
}

}  // namespace edgegate
