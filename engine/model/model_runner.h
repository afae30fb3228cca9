// The seam between the scheduler and whatever computes: one call is one step over a flat batch of
// tokens. The scheduler knows nothing of tensors, and the runner nothing of requests.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/status.h"

namespace edgegate {

// Fixed when the runner is made.
struct RunnerLimits {
  int vocab_size = 0;
  int max_model_len = 0;       // positions a sequence may have
  int block_size = 0;          // tokens per KV block
  int num_blocks = 0;          // KV blocks in the pool, numbered 0 .. num_blocks - 1
  int max_batched_tokens = 0;  // tokens in one ForwardBatch, at most
  int max_logits_rows = 0;     // logits rows of one ForwardBatch, at most
};

// One sequence's share of a step: `count` tokens from index `first` of the flat arrays, at
// positions context_len .. context_len + count - 1. The KV of the earlier positions is already in
// the blocks. block_table[i] holds positions i * block_size .. (i + 1) * block_size - 1; it covers
// context_len + count positions.
struct SequenceSpan {
  int first = 0;
  int count = 0;
  int context_len = 0;
  std::vector<int32_t> block_table;
};

struct ForwardBatch {
  std::vector<int32_t> tokens;       // all spans' tokens, in span order
  std::vector<SequenceSpan> spans;   // in any mix of prefill and decode
  std::vector<int32_t> logits_rows;  // indices into tokens, ascending: where logits are wanted
};

struct ForwardOutput {
  // [logits_rows.size()][vocab_size] float, row-major; valid until the next Forward().
  const float* logits = nullptr;
};

// Called by the engine loop's thread only.
class ModelRunner {
 public:
  virtual ~ModelRunner() = default;

  virtual const RunnerLimits& limits() const = 0;

  // Writes the KV of the batch's tokens and gives the logits that were asked for. A token's result
  // depends on its own sequence alone: the same bytes in any batch, however it is chunked. Two
  // spans may share blocks only for positions below both their context_len. On error the blocks
  // of the batch's spans are undefined from context_len on, all else is as before.
  virtual Result<ForwardOutput> Forward(const ForwardBatch& batch) = 0;
};

}  // namespace edgegate
