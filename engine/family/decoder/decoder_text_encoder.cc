#include "engine/family/decoder/decoder_text_encoder.h"

#include <algorithm>
#include <numeric>

#include "engine/base/ceil_div.h"

namespace edgegate {
namespace {

constexpr int kTexts = 64;  // of a batch

TextEncoderLimits MakeLimits(const RunnerLimits& runner, const EmbeddingConfig& config) {
  TextEncoderLimits limits;
  limits.vocab_size = runner.vocab_size;
  limits.max_text_tokens = config.max_tokens > 0 ? std::min(config.max_tokens, runner.max_model_len)
                                                 : runner.max_model_len;
  // Each text but one may leave a part of a block unused.
  const int pool = runner.num_blocks * runner.block_size;
  limits.max_batched_texts =
      std::clamp(std::min(kTexts, runner.num_blocks / 2), 1, runner.max_hidden_rows);
  const int unused = (limits.max_batched_texts - 1) * runner.block_size;
  limits.max_batched_tokens = std::clamp(pool - unused, 1, runner.max_batched_tokens);
  limits.width = runner.hidden_size;
  return limits;
}

}  // namespace

RunnerOptions DecoderTextEncoder::OptionsFor(RunnerOptions options) {
  options.max_logits_rows = 1;
  options.max_hidden_rows = kTexts;
  return options;
}

DecoderTextEncoder::DecoderTextEncoder(std::unique_ptr<ModelRunner> runner,
                                       const EmbeddingConfig& config)
    : runner_(std::move(runner)),
      config_(config),
      limits_(MakeLimits(runner_->limits(), config)),
      block_table_(static_cast<size_t>(runner_->limits().num_blocks)),
      embeddings_(size_t{1} * limits_.max_batched_texts * limits_.width) {
  std::iota(block_table_.begin(), block_table_.end(), 0);
}

Status DecoderTextEncoder::Begin(std::span<const TextTokens> texts) {
  EG_RETURN_IF_ERROR(CheckTexts(texts, limits_));
  texts_.clear();
  next_ = 0;
  const std::span<const int32_t> blocks(block_table_);
  size_t first = 0;
  for (const TextTokens& text : texts) {
    const auto count =
        static_cast<size_t>(CeilDiv(static_cast<int>(text.size()), runner_->limits().block_size));
    if (first + count > blocks.size()) return Internal("the batch takes too many KV blocks");
    texts_.push_back({text, blocks.subspan(first, count), 0});
    first += count;
  }
  return {};
}

// Fills the batch of the next step with up to `max_tokens` tokens.
void DecoderTextEncoder::FillBatch(int max_tokens) {
  batch_.Clear();
  completed_.clear();
  for (size_t i = next_; i < texts_.size() && max_tokens > 0; ++i) {
    Text& text = texts_[i];
    const int count = std::min(max_tokens, static_cast<int>(text.tokens.size()) - text.computed);
    const auto part = text.tokens.subspan(text.computed, count);
    batch_.spans.push_back({.first = static_cast<int>(batch_.tokens.size()),
                            .count = count,
                            .context_len = text.computed,
                            .block_table = text.blocks});
    batch_.tokens.insert(batch_.tokens.end(), part.begin(), part.end());
    text.computed += count;
    max_tokens -= count;
    if (text.computed < std::ssize(text.tokens)) break;
    batch_.hidden_rows.push_back(static_cast<int32_t>(batch_.tokens.size()) - 1);
    completed_.push_back(static_cast<int>(i));
    next_ = i + 1;
  }
}

void DecoderTextEncoder::TakeStates(const float* hidden) {
  const int64_t width = limits_.width;
  for (size_t i = 0; i < completed_.size(); ++i) {
    float* out = embeddings_.data() + completed_[i] * width;
    std::copy_n(hidden + int64_t(i) * width, width, out);
    if (config_.normalize) NormalizeEmbedding(out, limits_.width);
  }
}

Result<bool> DecoderTextEncoder::Slice(int max_tokens) {
  if (next_ >= texts_.size()) return Internal("no batch was begun");
  FillBatch(std::clamp(max_tokens, 1, runner_->limits().max_batched_tokens));
  auto output = runner_->Forward(batch_);
  if (!output.ok()) {
    texts_.clear();
    next_ = 0;
    return output.status();
  }
  TakeStates(output->hidden);
  return next_ == texts_.size();
}

const float* DecoderTextEncoder::Embedding(int index) const {
  return embeddings_.data() + int64_t{index} * limits_.width;
}

}  // namespace edgegate
