#include "engine/quantize/float_layer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/base/thread_pool.h"
#include "engine/ops/rope.h"
#include "engine/quantize/float_gemm.h"

namespace edgegate {
namespace {

Status Read(const ModelSource& source, WeightPart part, int layer, int64_t rows, int64_t cols,
            std::vector<float>* out) {
  out->resize(static_cast<size_t>(rows * cols));
  return source.ReadRows(part, layer, 0, static_cast<int>(rows), out->data());
}

void RotateHeads(const ModelConfig& c, const std::vector<float>& norm, const RopeTable& rope,
                 int heads, std::vector<float>* x) {
  const int64_t row = int64_t{heads} * c.head_dim;
  const int tokens = static_cast<int>(x->size() / static_cast<size_t>(row));
  if (!norm.empty()) *x = RmsNormFloat(*x, norm, c.head_dim, c.rms_norm_eps);
  auto rotate = c.rope.layout == RopeLayout::kInterleaved ? RopeInterleaved : RopeHalfSplit;
  for (int t = 0; t < tokens; ++t) {
    for (int head = 0; head < heads; ++head) {
      rotate(x->data() + t * row + int64_t{head} * c.head_dim, rope.half(), rope.cosines(t),
             rope.sines(t));
    }
  }
}

// Softmax-weighted values of one query head at one position; `k` and `v` begin with its sequence.
void AttendOne(const ModelConfig& c, const float* q, const float* k, const float* v, int kv_head,
               int position, float* out) {
  const int64_t stride = c.kv_size();
  const float scale = 1.0f / std::sqrt(static_cast<float>(c.head_dim));
  std::vector<float> weights(static_cast<size_t>(position) + 1);
  for (int p = 0; p <= position; ++p) {
    const float* key = k + p * stride + int64_t{kv_head} * c.head_dim;
    weights[static_cast<size_t>(p)] = std::inner_product(q, q + c.head_dim, key, 0.0f) * scale;
  }
  const float largest = *std::max_element(weights.begin(), weights.end());
  float total = 0;
  for (float& w : weights) total += w = std::exp(w - largest);
  std::fill_n(out, c.head_dim, 0.0f);
  for (int p = 0; p <= position; ++p) {
    const float* value = v + p * stride + int64_t{kv_head} * c.head_dim;
    const float w = weights[static_cast<size_t>(p)] / total;
    for (int d = 0; d < c.head_dim; ++d) out[d] += w * value[d];
  }
}

std::vector<float> AttendAll(const ModelConfig& c, const std::vector<float>& q,
                             const std::vector<float>& k, const std::vector<float>& v,
                             int sequence) {
  std::vector<float> out(q.size());
  const int tokens = static_cast<int>(q.size()) / c.q_size();
  const int group = c.num_heads / c.num_kv_heads;
  ParallelFor(tokens, [&](int t) {
    const int64_t start = int64_t{t - t % sequence} * c.kv_size();
    for (int head = 0; head < c.num_heads; ++head) {
      const int64_t offset = int64_t{t} * c.q_size() + int64_t{head} * c.head_dim;
      AttendOne(c, q.data() + offset, k.data() + start, v.data() + start, head / group,
                t % sequence, out.data() + offset);
    }
  });
  return out;
}

}  // namespace

Result<FloatLayer> ReadFloatLayer(const ModelSource& source, int layer) {
  const ModelConfig& c = source.config();
  const int64_t h = c.hidden_size, f = c.intermediate_size, q = c.q_size(), kv = c.kv_size();
  FloatLayer w;
  struct Part {
    WeightPart part;
    int64_t rows, cols;
    std::vector<float>* out;
    bool there;
  };
  const Part parts[] = {{WeightPart::kAttentionNorm, 1, h, &w.attention_norm, true},
                        {WeightPart::kMlpNorm, 1, h, &w.mlp_norm, true},
                        {WeightPart::kQNorm, 1, c.head_dim, &w.q_norm, c.qk_norm},
                        {WeightPart::kKNorm, 1, c.head_dim, &w.k_norm, c.qk_norm},
                        {WeightPart::kQ, q, h, &w.q, true},
                        {WeightPart::kK, kv, h, &w.k, true},
                        {WeightPart::kV, kv, h, &w.v, true},
                        {WeightPart::kO, h, q, &w.o, true},
                        {WeightPart::kGate, f, h, &w.gate, true},
                        {WeightPart::kUp, f, h, &w.up, true},
                        {WeightPart::kDown, h, f, &w.down, true},
                        {WeightPart::kQBias, 1, q, &w.q_bias, c.qkv_bias},
                        {WeightPart::kKBias, 1, kv, &w.k_bias, c.qkv_bias},
                        {WeightPart::kVBias, 1, kv, &w.v_bias, c.qkv_bias},
                        {WeightPart::kOBias, 1, h, &w.o_bias, c.o_bias},
                        {WeightPart::kGateBias, 1, f, &w.gate_bias, c.mlp_bias},
                        {WeightPart::kUpBias, 1, f, &w.up_bias, c.mlp_bias},
                        {WeightPart::kDownBias, 1, h, &w.down_bias, c.mlp_bias}};
  for (const Part& p : parts) {
    if (p.there) EG_RETURN_IF_ERROR(Read(source, p.part, layer, p.rows, p.cols, p.out));
  }
  return w;
}

std::vector<float> RmsNormFloat(const std::vector<float>& x, const std::vector<float>& weight,
                                int columns, float eps) {
  std::vector<float> out(x.size());
  for (size_t row = 0; row < x.size(); row += static_cast<size_t>(columns)) {
    double sum = 0;
    for (int i = 0; i < columns; ++i) sum += double{x[row + i]} * x[row + i];
    const auto inverse = static_cast<float>(1.0 / std::sqrt(sum / columns + double{eps}));
    for (int i = 0; i < columns; ++i) out[row + i] = x[row + i] * inverse * weight[i];
  }
  return out;
}

std::vector<float> LinearFloat(const std::vector<float>& x, const std::vector<float>& w, int n,
                               int k, const std::vector<float>& bias) {
  const auto m = static_cast<int64_t>(x.size()) / k;
  std::vector<float> out(static_cast<size_t>(m * n));
  Gemm(m, n, k, 1.0f, {x.data(), k}, {w.data(), k, true}, 0.0f, out.data(), n);
  if (!bias.empty()) {
    for (int64_t row = 0; row < m; ++row) {
      for (int i = 0; i < n; ++i) out[row * n + i] += bias[i];
    }
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
  auto add = [&](const std::vector<float>& x) {
    std::transform(x.begin(), x.end(), hidden->begin(), hidden->begin(), std::plus<>());
  };
  LayerInputs in;
  in.attention = RmsNormFloat(*hidden, w.attention_norm, h, c.rms_norm_eps);
  std::vector<float> q = LinearFloat(in.attention, w.q, c.q_size(), h, w.q_bias);
  std::vector<float> k = LinearFloat(in.attention, w.k, c.kv_size(), h, w.k_bias);
  const std::vector<float> v = LinearFloat(in.attention, w.v, c.kv_size(), h, w.v_bias);
  RotateHeads(c, w.q_norm, rope, c.num_heads, &q);
  RotateHeads(c, w.k_norm, rope, c.num_kv_heads, &k);
  in.o = AttendAll(c, q, k, v, sequence);
  add(LinearFloat(in.o, w.o, h, c.q_size(), w.o_bias));
  in.mlp = RmsNormFloat(*hidden, w.mlp_norm, h, c.rms_norm_eps);
  in.down = LinearFloat(in.mlp, w.gate, f, h, w.gate_bias);
  const std::vector<float> up = LinearFloat(in.mlp, w.up, f, h, w.up_bias);
  for (size_t i = 0; i < up.size(); ++i) {
    in.down[i] = in.down[i] / (1.0f + std::exp(-in.down[i])) * up[i];
  }
  add(LinearFloat(in.down, w.down, h, f, w.down_bias));
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
  EG_RETURN_IF_ERROR(Read(source, WeightPart::kFinalNorm, 0, 1, c.hidden_size, &norm));
  EG_RETURN_IF_ERROR(Read(source, WeightPart::kLmHead, 0, c.vocab_size, c.hidden_size, &head));
  return LinearFloat(RmsNormFloat(hidden, norm, c.hidden_size, c.rms_norm_eps), head, c.vocab_size,
                     c.hidden_size, {});
}

}  // namespace edgegate
