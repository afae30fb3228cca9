#include "engine/model/text_encoder.h"

#include <cmath>

namespace edgegate {

Status CheckTexts(std::span<const TextTokens> texts, const TextEncoderLimits& limits) {
  if (texts.empty() || std::ssize(texts) > limits.max_batched_texts) {
    return Internal("batch of {} texts: must be 1 to {}", texts.size(), limits.max_batched_texts);
  }
  int64_t tokens = 0;
  for (const TextTokens& text : texts) {
    tokens += std::ssize(text);
    if (text.empty() || std::ssize(text) > limits.max_text_tokens) {
      return Internal("text of {} tokens: must be 1 to {}", text.size(), limits.max_text_tokens);
    }
    for (const int32_t token : text) {
      if (token < 0 || token >= limits.vocab_size) {
        return Internal("token id {} out of range", token);
      }
    }
  }
  if (texts.size() > 1 && tokens > limits.max_batched_tokens) {
    return Internal("batch of {} tokens: at most {}", tokens, limits.max_batched_tokens);
  }
  return {};
}

void NormalizeEmbedding(float* x, int width) {
  double squares = 0;
  for (int i = 0; i < width; ++i) squares += double{x[i]} * x[i];
  if (squares == 0) return;
  const double scale = 1 / std::sqrt(squares);
  for (int i = 0; i < width; ++i) x[i] = static_cast<float>(x[i] * scale);
}

}  // namespace edgegate
