// The forward pass of all decoder families over a flat batch. It computes on packed weights and a
// paged KV cache (Kwon et al. 2023, arXiv:2309.06180), which the runner owns. The runner also owns
// the encoder of the model's media.
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
  int max_batched_tokens = 512;  // maximum number of tokens of a step
  int max_logits_rows = 64;      // maximum number of logits rows of a step
  int max_hidden_rows = 0;       // maximum number of hidden rows of a step; each takes memory
  // Maximum number of positions of a sequence. 0: the number in the model's file. A larger number
  // is accepted, because converters have written wrong numbers. It is lowered to what the KV pool
  // holds.
  int max_model_len = 0;
  int64_t kv_cache_bytes = int64_t{256} << 20;  // size of the pool; at least one block is made
  KvType kv_cache_type = KvType::kBf16;
  Int8MatMul::Backend backend = Int8MatMul::Backend::kAuto;
};

// The runner of a decoder. Owned by one thread (see ModelRunner).
class DecoderRunner : public ModelRunner {
 public:
  // Allocates the KV pool and the buffers. `weights` are views whose memory must outlive the
  // runner. kResourceExhausted: the memory cannot be allocated.
  static Result<std::unique_ptr<DecoderRunner>> Make(const DecoderWeights& weights,
                                                     const RunnerOptions& options);
  ~DecoderRunner() override;

  const RunnerLimits& limits() const override;
  Result<ForwardOutput> Forward(const ForwardBatch& batch) override;
  void CopyBlock(int32_t from, int32_t to) override;
  MediaEncoder* media_encoder() override;

  // Describes the kernels that compute, for reports.
  std::string kernels() const;

  // Returns the number of bytes of the KV of one token.
  static int64_t KvBytesPerToken(const ModelConfig& config, KvType type);

 private:
  struct Impl;
  explicit DecoderRunner(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace edgegate
