#include "engine/family/bert/encoder.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/base/ceil_div.h"
#include "engine/family/bert/pool.h"
#include "engine/ops/attention/attention.h"
#include "engine/ops/rows/row_ops.h"

namespace edgegate::bert {
namespace {

constexpr int kTokensPerTask = 16;  // of one attention task

LinearFormatSet FormatsOf(const Weights& w) {
  LinearFormatSet formats;
  for (const LayerWeights& layer : w.layers) {
    for (const Linear* l : {&layer.qkv, &layer.out, &layer.up, &layer.down}) formats.Add(*l);
  }
  return formats;
}

TextEncoderLimits MakeLimits(const Config& c, const TextEncoderOptions& options) {
  TextEncoderLimits limits;
  limits.vocab_size = c.vocabulary;
  limits.max_text_tokens = c.max_tokens();
  limits.max_batched_tokens = std::max(options.max_batched_tokens, c.max_tokens());
  limits.max_batched_texts = limits.max_batched_tokens;
  limits.width = c.hidden_size;
  return limits;
}

// A text of the batch: its rows, and the KV blocks of its keys and values.
struct Text {
  int first = 0;
  int count = 0;
  int first_block = 0;
};

}  // namespace

struct Encoder::Impl {
  Impl(const Weights& w, const TextEncoderOptions& options)
      : weights(w),
        c(*w.c),
        limits(MakeLimits(c, options)),
        pool(options.pool),
        rows(limits.max_batched_tokens),
        linear({rows, std::max(3 * c.hidden_size, c.intermediate_size)}, FormatsOf(w),
               options.backend),
        qkv_stride(Int8Padded(3 * c.hidden_size)),
        inner_stride(Int8Padded(c.intermediate_size)),
        hidden(size_t{1} * rows * c.hidden_size),
        qkv(size_t{1} * rows * qkv_stride),
        attention(size_t{1} * rows * c.hidden_size),
        inner(size_t{1} * rows * inner_stride),
        embeddings(size_t{1} * limits.max_batched_texts * c.hidden_size),
        cache{nullptr, c.num_heads, c.head_dim()},
        // A text takes whole blocks.
        block_table(static_cast<size_t>(CeilDiv(rows, kKvBlock)) + limits.max_batched_texts),
        kv(block_table.size() * cache.block_elements() + kKvSlack) {
    std::iota(block_table.begin(), block_table.end(), 0);
    cache.data = kv.data();
  }

  void Embed();
  void PlanAttention();
  void StoreKeysAndValues();
  void RunLayer(const LayerWeights& w);
  void NormalizeRows(const LayerNormWeights& norm);
  void Pool();
  bool Slice();

  const Weights weights;
  const Config& c;
  const TextEncoderLimits limits;
  ThreadPool* const pool;
  const int rows;

  LinearMatMul linear;
  const int64_t qkv_stride;
  const int64_t inner_stride;
  AlignedBuffer<float> hidden;       // [rows][hidden_size]: the residual stream
  AlignedBuffer<float> qkv;          // [rows][qkv_stride]
  AlignedBuffer<float> attention;    // [rows][hidden_size]
  AlignedBuffer<float> inner;        // [rows][inner_stride]
  AlignedBuffer<float> embeddings;   // [texts][hidden_size]
  KvLayer cache;                     // of the current layer
  std::vector<int32_t> block_table;  // 0, 1, ...
  AlignedBuffer<uint16_t> kv;

  // The state of the current batch.
  std::vector<int32_t> tokens;
  std::vector<int32_t> text_of_token;
  std::vector<Text> texts;
  std::vector<AttentionTask> tasks;  // equal for every layer
  int next = -1;                     // the next layer; -1: no batch was begun
};

void Encoder::Impl::Embed() {
  const int width = c.hidden_size;
  ParallelFor(std::ssize(tokens), [&](int64_t t) {
    float* row = hidden.data() + t * width;
    const int64_t position = t - texts[text_of_token[t]].first;
    std::copy_n(weights.words + int64_t{tokens[t]} * width, width, row);
    AddRow(weights.positions + position * width, width, row);
    LayerNormRow(row, weights.norm.weight, weights.norm.bias, width, c.layer_norm_eps, row);
  });
}

void Encoder::Impl::PlanAttention() {
  tasks.clear();
  const int dim = c.head_dim();
  for (const Text& text : texts) {
    for (int head = 0; head < c.num_heads; ++head) {
      for (int t = 0; t < text.count; t += kTokensPerTask) {
        const int64_t row = text.first + t;
        tasks.push_back({.q = qkv.data() + row * qkv_stride + int64_t{head} * dim,
                         .out = attention.data() + row * c.hidden_size + int64_t{head} * dim,
                         .q_stride = qkv_stride,
                         .out_stride = c.hidden_size,
                         .group = 1,
                         .tokens = std::min(kTokensPerTask, text.count - t),
                         .first_position = t,
                         .block_table = block_table.data() + text.first_block,
                         .kv_head = head,
                         .visible = text.count});
      }
    }
  }
}

// Scales the queries, and writes keys and values to the blocks of their text.
void Encoder::Impl::StoreKeysAndValues() {
  const int width = c.hidden_size;
  const float scale = 1.0f / std::sqrt(static_cast<float>(c.head_dim()));
  ParallelFor(std::ssize(tokens), [&](int64_t t) {
    float* row = qkv.data() + t * qkv_stride;
    for (int i = 0; i < width; ++i) row[i] *= scale;
    const Text& text = texts[text_of_token[t]];
    const int position = static_cast<int>(t) - text.first;
    WriteKv(cache, text.first_block + position / kKvBlock, position % kKvBlock, row + width,
            row + 2 * width);
  });
}

void Encoder::Impl::NormalizeRows(const LayerNormWeights& norm) {
  const int width = c.hidden_size;
  ParallelFor(std::ssize(tokens), [&](int64_t t) {
    float* row = hidden.data() + t * width;
    LayerNormRow(row, norm.weight, norm.bias, width, c.layer_norm_eps, row);
  });
}

void Encoder::Impl::RunLayer(const LayerWeights& w) {
  const int width = c.hidden_size, count = static_cast<int>(tokens.size());
  linear.Quantize(w.qkv, hidden.data(), width, count);
  linear.Store(w.qkv, qkv.data(), qkv_stride);
  StoreKeysAndValues();
  ParallelFor(std::ssize(tasks), [&](int64_t i) { Attend(cache, tasks[i]); });
  linear.Quantize(w.out, attention.data(), width, count);
  linear.Add(w.out, hidden.data(), width);
  NormalizeRows(w.attention_norm);
  linear.Quantize(w.up, hidden.data(), width, count);
  if (c.activation == Activation::kGeluTanh) {
    linear.Gelu(w.up, inner.data(), inner_stride);
  } else {
    linear.Store(w.up, inner.data(), inner_stride);
    ParallelFor(count,
                [&](int t) { GeluErfRow(inner.data() + t * inner_stride, c.intermediate_size); });
  }
  linear.Quantize(w.down, inner.data(), inner_stride, count);
  linear.Add(w.down, hidden.data(), width);
  NormalizeRows(w.mlp_norm);
}

void Encoder::Impl::Pool() {
  ParallelFor(std::ssize(texts), [&](int64_t i) {
    const Text& text = texts[i];
    PoolRows(c.embedding, hidden.data() + int64_t{text.first} * c.hidden_size, text.count,
             c.hidden_size, embeddings.data() + i * c.hidden_size);
  });
}

bool Encoder::Impl::Slice() {
  if (next == 0) Embed();
  RunLayer(weights.layers[next]);
  if (++next < c.num_layers) return false;
  Pool();
  next = -1;
  return true;
}

Encoder::Encoder(const Weights& weights, const TextEncoderOptions& options)
    : impl_(std::make_unique<Impl>(weights, options)) {}
Encoder::~Encoder() = default;

const TextEncoderLimits& Encoder::limits() const { return impl_->limits; }

Status Encoder::Begin(std::span<const TextTokens> texts) {
  EG_RETURN_IF_ERROR(CheckTexts(texts, impl_->limits));
  impl_->tokens.clear();
  impl_->text_of_token.clear();
  impl_->texts.clear();
  int block = 0;
  for (const TextTokens& text : texts) {
    const int count = static_cast<int>(text.size());
    impl_->text_of_token.insert(impl_->text_of_token.end(), text.size(),
                                static_cast<int32_t>(impl_->texts.size()));
    impl_->texts.push_back({static_cast<int>(impl_->tokens.size()), count, block});
    impl_->tokens.insert(impl_->tokens.end(), text.begin(), text.end());
    block += CeilDiv(count, kKvBlock);
  }
  impl_->PlanAttention();
  impl_->next = 0;
  return {};
}

Result<bool> Encoder::Slice(int /*max_tokens*/) {
  if (impl_->next < 0) return Internal("no batch was begun");
  const ThreadPool::Step step(impl_->pool);
  return impl_->Slice();
}

const float* Encoder::Embedding(int index) const {
  return impl_->embeddings.data() + int64_t{index} * impl_->c.hidden_size;
}

}  // namespace edgegate::bert
