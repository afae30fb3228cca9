// Runs a model: the forward pass over a flat batch, on packed INT8 weights and a paged KV cache
// that it owns, and the encoding of pictures where the model sees.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/base/thread_pool.h"
#include "engine/family/decoder/decoder_weights.h"
#include "engine/model/model_runner.h"
#include "engine/ops/linear/int8/matmul.h"
#include "engine/ops/attention/kv_cache.h"

namespace edgegate {

struct RunnerOptions {
  ThreadPool* pool = nullptr;    // must outlive the runner; null: the calling thread computes alone
  int max_batched_tokens = 512;  // tokens of one step
  int max_logits_rows = 64;      // logits rows of one step
  // Positions a sequence may have; 0: as many as the model's file says. A larger number is taken at
  // its word, as converters have written wrong ones. Lowered to what the KV pool holds.
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
  Status BeginImage(PreparedPixels pixels) override;
  Result<bool> EncodeUnit(float* rows) override;

  // What computes, for people.
  std::string kernels() const;

  // Bytes of KV that one token takes.
  static int64_t KvBytesPerToken(const ModelConfig& config, KvType type);

 private:
  struct Impl;
  explicit DecoderRunner(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace edgegate
