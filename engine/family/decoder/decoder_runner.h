// The forward pass of all decoder families over a flat batch, on packed weights and a paged KV
// cache that the runner owns. It also owns the encoder of the model's media.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/base/thread_pool.h"
#include "engine/family/decoder/decoder_weights.h"
#include "engine/model/model_runner.h"
#include "engine/ops/attention/kv_cache.h"
#include "engine/ops/linear/int8/matmul.h"

namespace edgegate {

struct RunnerOptions {
  ThreadPool* pool = nullptr;    // must outlive the runner; null: the calling thread computes alone
  int max_batched_tokens = 512;  // tokens of one step
  int max_logits_rows = 64;      // logits rows of one step
  int max_hidden_rows = 0;       // hidden rows of one step; each takes memory
  // Positions that a sequence may have; 0: as many as the model's file says. A larger number than
  // the file's is accepted, as converters have written wrong ones. Lowered to what the KV pool
  // holds.
  int max_model_len = 0;
  int64_t kv_cache_bytes = int64_t{256} << 20;  // the pool; at least one block is made
  KvType kv_cache_type = KvType::kBf16;
  Int8MatMul::Backend backend = Int8MatMul::Backend::kAuto;
};

// Owned by one thread (see ModelRunner).
class DecoderRunner : public ModelRunner {
 public:
  // `weights` are views whose memory must outlive the runner. kResourceExhausted when the pool and
  // the buffers cannot be allocated.
  static Result<std::unique_ptr<DecoderRunner>> Make(const DecoderWeights& weights,
                                                     const RunnerOptions& options);
  ~DecoderRunner() override;

  const RunnerLimits& limits() const override;
  Result<ForwardOutput> Forward(const ForwardBatch& batch) override;
  MediaEncoder* media_encoder() override;

  // The kernels that compute, as text for reports.
  std::string kernels() const;

  // Bytes of the KV of one token.
  static int64_t KvBytesPerToken(const ModelConfig& config, KvType type);

 private:
  struct Impl;
  explicit DecoderRunner(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace edgegate
