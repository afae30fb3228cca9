// Embeddings from a decoder: the hidden state of the last token of a text, after the last norm.
#pragma once

#include <memory>
#include <vector>

#include "engine/base/status.h"
#include "engine/family/decoder/decoder_runner.h"
#include "engine/model/embedding_config.h"
#include "engine/model/text_encoder.h"

namespace edgegate {

// Owned by one thread (see TextEncoder). A slice is one step of the decoder: a part of a text, or
// parts of several texts. KV blocks hold one batch.
class DecoderTextEncoder : public TextEncoder {
 public:
  // Returns the options of a runner for this encoder, from those of the daemon.
  static RunnerOptions OptionsFor(RunnerOptions options);

  // `runner` was made with OptionsFor(). `config.max_tokens` lowers the maximum length of a text.
  DecoderTextEncoder(std::unique_ptr<ModelRunner> runner, const EmbeddingConfig& config);

  const TextEncoderLimits& limits() const override { return limits_; }
  Status Begin(std::span<const TextTokens> texts) override;
  Result<bool> Slice(int max_tokens) override;
  const float* Embedding(int index) const override;

 private:
  // A text of the batch, its KV blocks and its tokens that are computed.
  struct Text {
    TextTokens tokens;
    std::span<const int32_t> blocks;
    int computed = 0;
  };
  void FillBatch(int max_tokens);
  void TakeStates(const float* hidden);

  const std::unique_ptr<ModelRunner> runner_;
  const EmbeddingConfig config_;
  TextEncoderLimits limits_;
  std::vector<int32_t> block_table_;  // 0, 1, ...
  std::vector<float> embeddings_;     // [max_batched_texts][width]
  std::vector<Text> texts_;
  size_t next_ = 0;             // the first text that is not complete
  std::vector<int> completed_;  // texts whose last token is in the batch, in order
  ForwardBatch batch_;
};

}  // namespace edgegate
