// The seam between the scheduler and whatever computes: one call is one step over a flat batch of
// tokens. The scheduler knows nothing of tensors, and the runner nothing of requests.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
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
  int hidden_size = 0;         // floats of an image row
  int image_rows = 0;          // rows of one picture; 0: the model takes none
  int image_size = 0;          // pixels on a side of a prepared picture
  // Tokens of a step up to which one more takes little time, since reading the weights takes most.
  int cheap_rows = 8;
};

// A picture as a model takes it: [image_size][image_size][3] bytes, red, green, blue; 0 .. 255
// stands for -1 .. 1. Where the picture does not reach it is 0.
using PreparedPixels = std::shared_ptr<const std::vector<uint8_t>>;

// A run of tokens whose embedding is replaced by rows of an encoded picture: `count` tokens of the
// flat batch from index `first`.
struct ImageRows {
  int first = 0;
  int count = 0;
  const float* rows = nullptr;  // [count][hidden_size]
};

// One sequence's share of a step: `count` tokens from index `first` of the flat arrays, at
// positions context_len .. context_len + count - 1. The KV of the earlier positions is already in
// the blocks. block_table[i] holds positions i * block_size .. (i + 1) * block_size - 1; it covers
// context_len + count positions, and is the caller's.
struct SequenceSpan {
  int first = 0;
  int count = 0;
  int context_len = 0;
  std::span<const int32_t> block_table;
};

struct ForwardBatch {
  std::vector<int32_t> tokens;       // all spans' tokens, in span order
  std::vector<SequenceSpan> spans;   // in any mix of prefill and decode
  std::vector<int32_t> logits_rows;  // indices into tokens, ascending: where logits are wanted
  std::vector<ImageRows> images;     // ascending, not overlapping

  // Keeps the memory for the next step.
  void Clear() {
    tokens.clear();
    spans.clear();
    logits_rows.clear();
    images.clear();
  }
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

  // Pictures are encoded one at a time, in units of some milliseconds that steps may come between.
  // Begins one; one that was under way is dropped. kInternal where limits().image_rows is 0.
  virtual Status BeginImage(PreparedPixels pixels) = 0;

  // Does one unit of it. True when that was the last: `rows` [image_rows][hidden_size] is then
  // written, the same bytes for the same pixels whatever came between.
  virtual Result<bool> EncodeUnit(float* rows) = 0;
};

}  // namespace edgegate
