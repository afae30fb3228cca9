// The interface between the scheduler and a model. One call computes one step over a flat batch of
// tokens. The scheduler does not use tensors, and the runner does not use requests.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/media.h"

namespace edgegate {

// The limits and sizes of a runner. They are fixed when the runner is made.
struct RunnerLimits {
  int vocab_size = 0;
  int max_model_len = 0;       // positions that a sequence may have
  int block_size = 0;          // tokens of a KV block
  int num_blocks = 0;          // KV blocks in the pool, numbered 0 .. num_blocks - 1
  int max_batched_tokens = 0;  // maximum number of tokens of a ForwardBatch
  int max_logits_rows = 0;     // maximum number of logits rows of a ForwardBatch
  int hidden_size = 0;         // floats of a hidden state and of a media row
  std::shared_ptr<const MediaConfig> media = nullptr;  // null: the model takes no media
  int max_hidden_rows = 0;                             // maximum of a ForwardBatch
  int position_axes = 1;                               // 1 or 3
  // Up to this number of tokens in a step, one more token takes little time, because most of the
  // time is spent on reading the weights.
  int cheap_rows = 8;
};

// A run of tokens that rows of an encoded item replace: tokens first .. first + count - 1 of the
// flat batch take rows row .. row + count - 1.
struct MediaSpan {
  int first = 0;
  int count = 0;
  int row = 0;
  const MediaEmbedding* embedding = nullptr;  // not owned
};

// One sequence's part of a step: `count` tokens from index `first` of the flat arrays. They are at
// indices context_len .. context_len + count - 1 of the sequence. The KV of the earlier tokens is
// in the blocks. block_table[i] holds tokens i * block_size .. (i + 1) * block_size - 1 of the
// sequence. The table covers context_len + count tokens. The caller owns it.
struct SequenceSpan {
  int first = 0;
  int count = 0;
  int context_len = 0;
  std::span<const int32_t> block_table;
};

struct ForwardBatch {
  std::vector<int32_t> tokens;       // tokens of all spans, in span order
  std::vector<SequenceSpan> spans;   // in any mix of prefill and decode
  std::vector<int32_t> logits_rows;  // ascending indices into `tokens` whose logits are requested
  std::vector<int32_t> hidden_rows;  // ascending indices into `tokens` whose states are requested
  std::vector<MediaSpan> media;      // ascending, without overlap
  // Rotary position of each token. Empty: the position of a token is its index in the sequence, on
  // all axes.
  std::vector<RopePosition> positions;

  // Removes the contents and keeps the memory for the next step.
  void Clear() {
    tokens.clear();
    spans.clear();
    logits_rows.clear();
    hidden_rows.clear();
    media.clear();
    positions.clear();
  }
};

// The results of a step, owned by the runner and valid until the next Forward().
struct ForwardOutput {
  const float* logits = nullptr;  // [logits_rows.size()][vocab_size]
  // [hidden_rows.size()][hidden_size]: the output of the last norm, which is the input of the
  // output matrix.
  const float* hidden = nullptr;
};

// Computes the steps of one model. Called only by the engine loop's thread.
class ModelRunner {
 public:
  virtual ~ModelRunner() = default;

  virtual const RunnerLimits& limits() const = 0;

  // Writes the KV of the batch's tokens. Returns the logits and hidden states that the batch
  // requests. A token's result depends only on its own sequence. Its bytes are the same in any
  // batch and with any chunks. Two spans may share blocks only for tokens below both their
  // context_len. After an error, the blocks of the batch's spans are undefined from context_len on.
  // All other state is unchanged. kUnimplemented: this model does not support positions on several
  // axes, or rows for later layers, which the batch has. kInternal: the batch breaks the contract.
  virtual Result<ForwardOutput> Forward(const ForwardBatch& batch) = 0;

  // Copies the KV of all positions of block `from` to block `to`.
  virtual void CopyBlock(int32_t from, int32_t to) = 0;

  // Returns the encoder of the model's media. Null if limits().media is null.
  virtual MediaEncoder* media_encoder() { return nullptr; }
};

}  // namespace edgegate
