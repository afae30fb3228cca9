#include "engine/family/decoder/decoder_runner.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <new>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/base/half.h"
#include "engine/base/thread_pool.h"
#include "engine/family/decoder/check_batch.h"
#include "engine/ops/attention/attention.h"
#include "engine/ops/linear/linear.h"
#include "engine/ops/rows/rope.h"
#include "engine/ops/rows/row_ops.h"

namespace edgegate {
namespace {

// Maximum and minimum number of tokens of one attention task. More tokens reuse loaded keys. Fewer
// tokens distribute the work more evenly.
constexpr int kTokensPerTask = 16, kMinTokensPerTask = 4;
constexpr int kTasksPerThread = 4;

LinearFormatSet FormatsOf(const DecoderWeights& w) {
  LinearFormatSet formats;
  formats.Add(w.lm_head);
  for (const DecoderLayerWeights& layer : w.layers) {
    for (const Linear* l : {&layer.qkv, &layer.o, &layer.gate_up, &layer.down}) formats.Add(*l);
  }
  return formats;
}

RunnerLimits MakeLimits(const DecoderWeights& weights, const RunnerOptions& options) {
  const ModelConfig& config = weights.config;
  RunnerLimits limits;
  limits.vocab_size = config.vocab_size;
  limits.block_size = kKvBlock;
  limits.max_batched_tokens = options.max_batched_tokens;
  limits.max_logits_rows = std::min(options.max_logits_rows, options.max_batched_tokens);
  const int64_t block_bytes =
      DecoderRunner::KvBytesPerToken(config, options.kv_cache_type) * kKvBlock;
  limits.num_blocks = static_cast<int>(
      std::clamp<int64_t>(options.kv_cache_bytes / block_bytes, 1, int64_t{1} << 24));
  limits.max_model_len =
      options.max_model_len > 0 ? options.max_model_len : config.max_position_embeddings;
  limits.max_model_len = static_cast<int>(
      std::min<int64_t>(limits.max_model_len, int64_t{limits.num_blocks} * kKvBlock));
  limits.hidden_size = config.hidden_size;
  limits.media = config.media;
  limits.max_hidden_rows = std::min(options.max_hidden_rows, options.max_batched_tokens);
  limits.position_axes = config.rope.frequency_axes.empty() ? 1 : 3;
  limits.cheap_rows = FormatsOf(weights).CheapRows();
  return limits;
}

// Moves these rows of `x`, `width` floats each, to its beginning. `rows` must be ascending.
void KeepRows(const std::vector<int32_t>& rows, int64_t width, float* x) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] == static_cast<int32_t>(i)) continue;
    std::copy_n(x + rows[i] * width, width, x + int64_t(i) * width);
  }
}

}  // namespace

struct DecoderRunner::Impl {
  Impl(const DecoderWeights& model, const RunnerOptions& options)
      : weights(model),
        config(weights.config),
        limits(MakeLimits(weights, options)),
        pool(options.pool),
        kv_cache_type(options.kv_cache_type),
        linear({limits.max_batched_tokens,
                std::max({config.hidden_size, config.intermediate_size, config.q_size()})},
               FormatsOf(weights), options.backend),
        rope(config.rope.rotary_dim, config.rope.theta, config.rope.frequency_divisors,
             config.rope.frequency_axes),
        qkv_stride(weights.layers[0].qkv.n_padded()),
        gated_stride(weights.layers[0].gate_up.n_padded() / 2),
        hidden(size_t{1} * limits.max_batched_tokens * config.hidden_size),
        qkv(size_t{1} * limits.max_batched_tokens * qkv_stride),
        attention(size_t{1} * limits.max_batched_tokens * config.q_size()),
        gated(size_t{1} * limits.max_batched_tokens * gated_stride),
        logits(size_t{1} * limits.max_logits_rows * config.vocab_size),
        states(size_t{1} * limits.max_hidden_rows * config.hidden_size),
        kv(size_t{1} * config.num_layers * limits.num_blocks * KvOfLayer(0).block_elements() +
           kKvSlack) {
    if (weights.media) {
      encoder = weights.media->MakeEncoder(config, {options.pool, options.backend});
    }
  }

  KvLayer KvOfLayer(int layer) {
    KvLayer view{nullptr, config.num_kv_heads, config.head_dim, kv_cache_type};
    view.data = kv.data() + int64_t{layer} * limits.num_blocks * view.block_elements();
    return view;
  }

  void SetPositions(const ForwardBatch& batch);
  void Embed(const ForwardBatch& batch);
  void AddDeepRows(const ForwardBatch& batch, int layer);
  void KeepOutputRows();
  void ComputeOutputs(const ForwardBatch& batch);
  void RotateAndStore(const ForwardBatch& batch, int layer);
  void PlanAttention(const ForwardBatch& batch);
  void AttendAll(int layer);
  void Forward(const ForwardBatch& batch);

  const DecoderWeights weights;
  const ModelConfig& config;
  const RunnerLimits limits;
  ThreadPool* const pool;
  const KvType kv_cache_type;

  LinearMatMul linear;
  RopeTable rope;
  const int64_t qkv_stride;
  const int64_t gated_stride;

  // The state of the current step. Rows are tokens.
  std::vector<int32_t> positions;       // index of each token in its sequence
  std::vector<int32_t> rope_positions;  // [tokens][3]; empty: the batch has no positions
  std::vector<int32_t> span_of_token;
  std::vector<int32_t> output_rows;  // ascending tokens whose logits or states are requested
  std::vector<AttentionTask> tasks;  // equal for every layer
  AlignedBuffer<float> hidden;       // [tokens][hidden_size]: the residual stream
  AlignedBuffer<float> qkv;          // [tokens][qkv_stride]
  AlignedBuffer<float> attention;    // [tokens][q_size]
  AlignedBuffer<float> gated;        // [tokens][gated_stride]
  AlignedBuffer<float> logits;       // [logits rows][vocab_size]
  AlignedBuffer<float> states;       // [hidden rows][hidden_size]

  AlignedBuffer<uint16_t> kv;  // [num_layers][num_blocks], each in the layout of KvLayer

  std::unique_ptr<MediaEncoder> encoder;  // null: the model takes no media
};

void DecoderRunner::Impl::Embed(const ForwardBatch& batch) {
  const int tokens = static_cast<int>(batch.tokens.size());
  const int64_t width = config.hidden_size;
  ParallelFor(tokens, [&](int t) {
    float* row = hidden.data() + t * width;
    const int64_t first = batch.tokens[t] * width;
    const auto* half = static_cast<const uint16_t*>(weights.embedding.data) + first;
    switch (weights.embedding.type) {
      case EmbeddingType::kF32:
        std::copy_n(static_cast<const float*>(weights.embedding.data) + first, width, row);
        break;
      case EmbeddingType::kF16:
        for (int64_t i = 0; i < width; ++i) row[i] = F16ToFloat(half[i]);
        break;
      case EmbeddingType::kBf16:
        for (int64_t i = 0; i < width; ++i) row[i] = Bf16ToFloat(half[i]);
        break;
    }
  });
  for (const MediaSpan& media : batch.media) {
    std::copy_n(media.embedding->Row(media.row), media.count * width,
                hidden.data() + media.first * width);
  }
}

// Adds the media rows that belong to the output of this layer (DeepStack).
void DecoderRunner::Impl::AddDeepRows(const ForwardBatch& batch, int layer) {
  const int64_t width = config.hidden_size;
  for (const MediaSpan& media : batch.media) {
    if (layer >= media.embedding->deep_layers) continue;
    const float* rows = media.embedding->DeepRow(layer, media.row);
    float* to = hidden.data() + media.first * width;
    for (int64_t i = 0; i < media.count * width; ++i) to[i] += rows[i];
  }
}

void DecoderRunner::Impl::SetPositions(const ForwardBatch& batch) {
  const size_t tokens = batch.tokens.size();
  positions.resize(tokens);
  span_of_token.resize(tokens);
  for (size_t s = 0; s < batch.spans.size(); ++s) {
    for (int i = 0; i < batch.spans[s].count; ++i) {
      positions[batch.spans[s].first + i] = batch.spans[s].context_len + i;
      span_of_token[batch.spans[s].first + i] = static_cast<int32_t>(s);
    }
  }
  if (batch.positions.empty()) return rope.SetPositions(positions);
  rope_positions.clear();
  for (const RopePosition& position : batch.positions) {
    rope_positions.insert(rope_positions.end(), position.begin(), position.end());
  }
  rope.SetPositions(rope_positions, 3);
}

// Normalizes q and k if the model does so, rotates them, scales q, and writes k and v to the cache.
void DecoderRunner::Impl::RotateAndStore(const ForwardBatch& batch, int layer) {
  const int tokens = static_cast<int>(batch.tokens.size());
  const KvLayer cache = KvOfLayer(layer);
  const DecoderLayerWeights& w = weights.layers[layer];
  const int dim = config.head_dim;
  const float scale = 1.0f / std::sqrt(static_cast<float>(dim));
  auto rotate = config.rope.layout == RopeLayout::kInterleaved ? RopeInterleaved : RopeHalfSplit;
  ParallelFor(tokens, [&](int t) {
    float* row = qkv.data() + t * qkv_stride;
    for (int head = 0; head < config.num_heads + config.num_kv_heads; ++head) {
      const bool is_query = head < config.num_heads;
      float* x = row + int64_t{head} * dim;
      if (config.qk_norm) {
        RmsNormRow(x, is_query ? w.q_norm : w.k_norm, dim, config.rms_norm_eps, x);
      }
      rotate(x, rope.half(), rope.cosines(t), rope.sines(t));
      if (is_query) {
        for (int d = 0; d < dim; ++d) x[d] *= scale;
      }
    }
    const SequenceSpan& span = batch.spans[span_of_token[t]];
    const float* key = row + config.q_size();
    WriteKv(cache, span.block_table[positions[t] / kKvBlock], positions[t] % kKvBlock, key,
            key + config.kv_size());
  });
}

void DecoderRunner::Impl::PlanAttention(const ForwardBatch& batch) {
  tasks.clear();
  const int group = config.num_heads / config.num_kv_heads;
  const int shares = ThreadPool::CurrentThreads() * kTasksPerThread;
  for (const SequenceSpan& span : batch.spans) {
    const int share = (span.count * config.num_kv_heads + shares - 1) / shares;
    const int most = std::clamp(share, kMinTokensPerTask, kTokensPerTask);
    for (int t = 0; t < span.count; t += most) {
      for (int head = 0; head < config.num_kv_heads; ++head) {
        const int64_t token = span.first + t;
        const int64_t offset = int64_t{head} * group * config.head_dim;
        tasks.push_back({.q = qkv.data() + token * qkv_stride + offset,
                         .out = attention.data() + token * config.q_size() + offset,
                         .q_stride = qkv_stride,
                         .out_stride = config.q_size(),
                         .group = group,
                         .tokens = std::min(most, span.count - t),
                         .first_position = span.context_len + t,
                         .block_table = span.block_table.data(),
                         .kv_head = head});
      }
    }
  }
}

void DecoderRunner::Impl::AttendAll(int layer) {
  const KvLayer cache = KvOfLayer(layer);
  const int count = static_cast<int>(tasks.size());
  ParallelFor(count, [&](int i) { Attend(cache, tasks[i]); });
}

// Keeps the rows whose logits or states are requested. After the last attention, the other rows of
// a prompt are not needed.
void DecoderRunner::Impl::KeepOutputRows() {
  KeepRows(output_rows, config.hidden_size, hidden.data());
  KeepRows(output_rows, config.q_size(), attention.data());
}

// Computes the logits, and the output of the last norm, of `output_rows`. `hidden` holds these
// rows.
void DecoderRunner::Impl::ComputeOutputs(const ForwardBatch& batch) {
  const int width = config.hidden_size;
  const auto place_of = [&](int32_t row) {
    return std::lower_bound(output_rows.begin(), output_rows.end(), row) - output_rows.begin();
  };
  if (!batch.hidden_rows.empty()) {
    for (size_t i = 0; i < batch.hidden_rows.size(); ++i) {
      RmsNormRow(hidden.data() + place_of(batch.hidden_rows[i]) * width, weights.state_norm, width,
                 config.rms_norm_eps, states.data() + int64_t(i) * width);
    }
    std::vector<int32_t> places;
    for (const int32_t row : batch.logits_rows) {
      places.push_back(static_cast<int32_t>(place_of(row)));
    }
    KeepRows(places, width, hidden.data());
  }
  const int rows = static_cast<int>(batch.logits_rows.size());
  if (rows == 0) return;
  linear.NormalizeAndQuantize(weights.lm_head, hidden.data(), width, rows, weights.final_norm,
                              config.rms_norm_eps);
  linear.Store(weights.lm_head, logits.data(), config.vocab_size);
}

void DecoderRunner::Impl::Forward(const ForwardBatch& batch) {
  const int width = config.hidden_size;
  const float eps = config.rms_norm_eps;
  int rows = static_cast<int>(batch.tokens.size());
  SetPositions(batch);
  PlanAttention(batch);
  Embed(batch);
  output_rows.clear();
  std::set_union(batch.logits_rows.begin(), batch.logits_rows.end(), batch.hidden_rows.begin(),
                 batch.hidden_rows.end(), std::back_inserter(output_rows));
  for (int layer = 0; layer < config.num_layers; ++layer) {
    const DecoderLayerWeights& w = weights.layers[layer];
    linear.NormalizeAndQuantize(w.qkv, hidden.data(), width, rows, w.attention_norm, eps);
    linear.Store(w.qkv, qkv.data(), qkv_stride);
    RotateAndStore(batch, layer);
    const bool last = layer == config.num_layers - 1;
    if (last) {
      rows = static_cast<int>(output_rows.size());
      if (rows == 0) return;
    }
    AttendAll(layer);
    if (last) KeepOutputRows();
    linear.Quantize(w.o, attention.data(), config.q_size(), rows);
    linear.Add(w.o, hidden.data(), width);
    linear.NormalizeAndQuantize(w.gate_up, hidden.data(), width, rows, w.mlp_norm, eps);
    linear.SwiGlu(w.gate_up, gated.data(), gated_stride);
    linear.Quantize(w.down, gated.data(), gated_stride, rows);
    linear.Add(w.down, hidden.data(), width);
    if (!batch.media.empty()) AddDeepRows(batch, layer);
  }
  ComputeOutputs(batch);
}

DecoderRunner::DecoderRunner(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DecoderRunner::~DecoderRunner() = default;

Result<std::unique_ptr<DecoderRunner>> DecoderRunner::Make(const DecoderWeights& weights,
                                                           const RunnerOptions& options) {
  EG_RETURN_IF_ERROR(ValidateModelConfig(weights.config));
  if (options.max_batched_tokens < 1 || options.max_logits_rows < 1) {
    return InvalidArgument("max_num_batched_tokens is {}: must be at least 1",
                           options.max_batched_tokens);
  }
  try {
    auto impl = std::make_unique<Impl>(weights, options);
    return std::unique_ptr<DecoderRunner>(new DecoderRunner(std::move(impl)));
  } catch (const std::bad_alloc&) {
    return ResourceExhausted("not enough memory for a KV cache of {} MiB and its buffers",
                             options.kv_cache_bytes >> 20);
  }
}

const RunnerLimits& DecoderRunner::limits() const { return impl_->limits; }

Result<ForwardOutput> DecoderRunner::Forward(const ForwardBatch& batch) {
  EG_RETURN_IF_ERROR(CheckBatch(batch, impl_->limits, impl_->config.num_layers));
  const ThreadPool::Step step(impl_->pool);
  impl_->Forward(batch);
  return ForwardOutput{impl_->logits.data(), impl_->states.data()};
}

void DecoderRunner::CopyBlock(int32_t from, int32_t to) {
  for (int layer = 0; layer < impl_->config.num_layers; ++layer) {
    const KvLayer kv = impl_->KvOfLayer(layer);
    std::copy_n(kv.keys(from, 0), kv.block_elements(), kv.keys(to, 0));
  }
}

MediaEncoder* DecoderRunner::media_encoder() { return impl_->encoder.get(); }

std::string DecoderRunner::kernels() const { return impl_->linear.Description(); }

int64_t DecoderRunner::KvBytesPerToken(const ModelConfig& config, KvType type) {
  const KvLayer layer{nullptr, config.num_kv_heads, config.head_dim, type};
  return config.num_layers * layer.block_elements() / kKvBlock *
         static_cast<int64_t>(sizeof(uint16_t));
}

}  // namespace edgegate
