// The forward pass of BERT over a batch of packed texts. Tokens attend to all tokens of their own
// text.
#pragma once

#include <memory>
#include <span>

#include "engine/family/bert/weights.h"

namespace edgegate::bert {

// Owned by one thread (see TextEncoder). A slice is one layer.
class Encoder : public TextEncoder {
 public:
  // `weights` are views whose memory must outlive the encoder. Throws std::bad_alloc.
  Encoder(const Weights& weights, const TextEncoderOptions& options);
  ~Encoder() override;

  const TextEncoderLimits& limits() const override;
  Status Begin(std::span<const TextTokens> texts) override;
  Result<bool> Slice(int max_tokens) override;
  const float* Embedding(int index) const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace edgegate::bert
