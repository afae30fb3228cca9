// The interface between the scheduler and a model that computes embeddings. Several texts are
// computed together, as one batch of packed tokens.
#pragma once

#include <cstdint>
#include <span>

#include "engine/base/status.h"

namespace edgegate {

// The limits of an encoder. They are fixed when it is made.
struct TextEncoderLimits {
  int vocab_size = 0;
  int max_text_tokens = 0;     // of one text, special tokens included
  int max_batched_tokens = 0;  // of a batch of several texts; one text alone may be longer
  int max_batched_texts = 0;   // of a batch
  int width = 0;               // floats of an embedding
};

// The token ids of a text. A view.
using TextTokens = std::span<const int32_t>;

// Computes one batch at a time, in slices of some milliseconds, so that other models' steps may run
// between two slices. The bytes of an embedding depend on its text only. They do not depend on the
// other texts of the batch, on the slices or on the number of threads. Called by the engine loop's
// thread only.
class TextEncoder {
 public:
  virtual ~TextEncoder() = default;

  virtual const TextEncoderLimits& limits() const = 0;

  // Starts a batch, and drops an unfinished one. The tokens must stay unchanged until the last
  // slice. kInternal: the batch breaks the limits, or has a text without tokens, which is a bug of
  // the scheduler.
  virtual Status Begin(std::span<const TextTokens> texts) = 0;

  // Computes the next slice. `max_tokens` bounds the tokens of the slice where the model can be cut
  // at any token. Returns true if it was the last slice.
  virtual Result<bool> Slice(int max_tokens) = 0;

  // Returns the embedding of text `index`, float [width]. Valid after the last slice, until the
  // next Begin().
  virtual const float* Embedding(int index) const = 0;
};

// Checks a batch against the limits. kInternal: see TextEncoder::Begin(). Thread-safe.
Status CheckTexts(std::span<const TextTokens> texts, const TextEncoderLimits& limits);

// Scales `x`, float [width], to length 1. A vector of zeros stays as it is. Sums in double, in
// order. Thread-safe.
void NormalizeEmbedding(float* x, int width);

}  // namespace edgegate
