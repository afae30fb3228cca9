#include "engine/family/decoder/check_batch.h"

#include <algorithm>

namespace edgegate {
namespace {

Status CheckSpans(const ForwardBatch& batch, const RunnerLimits& limits) {
  const int tokens = static_cast<int>(batch.tokens.size());
  int next = 0;
  for (const SequenceSpan& span : batch.spans) {
    const int64_t length = int64_t{span.context_len} + span.count;
    if (span.first != next || span.count < 1 || span.context_len < 0 ||
        length > limits.max_model_len ||
        static_cast<int64_t>(span.block_table.size()) * limits.block_size < length) {
      return Internal("malformed span at token {}", span.first);
    }
    for (int32_t block : span.block_table) {
      if (block < 0 || block >= limits.num_blocks) return Internal("block {} out of range", block);
    }
    next += span.count;
  }
  if (next != tokens) return Internal("spans cover {} of {} tokens", next, tokens);
  return {};
}

// Rows of DeepStack must be added before the last layer, because that layer computes the output
// rows only.
Status CheckMedia(const ForwardBatch& batch, const RunnerLimits& limits, int num_layers) {
  const int tokens = static_cast<int>(batch.tokens.size());
  int end = 0;
  for (const MediaSpan& media : batch.media) {
    const MediaEmbedding* e = media.embedding;
    if (media.first < end || media.count < 1 || media.count > tokens - media.first ||
        e == nullptr || e->width != limits.hidden_size || media.row < 0 ||
        media.count > e->rows - media.row ||
        std::ssize(e->data) != int64_t{1 + e->deep_layers} * e->rows * e->width) {
      return Internal("malformed media rows at token {}", media.first);
    }
    if (e->deep_layers >= num_layers) {
      return Unimplemented(
          "media rows for {} layers: the decoder has {}, and takes none after the "
          "last",
          e->deep_layers, num_layers);
    }
    end = media.first + media.count;
  }
  return {};
}

Status CheckPositions(const ForwardBatch& batch, const RunnerLimits& limits) {
  if (batch.positions.empty()) return {};
  if (batch.positions.size() != batch.tokens.size()) {
    return Internal("{} positions for {} tokens", batch.positions.size(), batch.tokens.size());
  }
  for (const RopePosition& p : batch.positions) {
    if (p[0] < 0 || p[1] < 0 || p[2] < 0) return Internal("negative position");
    if (limits.position_axes == 1 && (p[0] != p[1] || p[0] != p[2])) {
      return Unimplemented("positions ({}, {}, {}): the model has one position axis", p[0], p[1],
                           p[2]);
    }
  }
  return {};
}

Status CheckRows(const std::vector<int32_t>& rows, int tokens, int most, const char* what) {
  int last = -1;
  for (const int32_t row : rows) {
    if (row <= last || row >= tokens) return Internal("{} row {} out of order", what, row);
    last = row;
  }
  if (static_cast<int>(rows.size()) > most) {
    return Internal("{} {} rows: at most {}", rows.size(), what, most);
  }
  return {};
}

}  // namespace

Status CheckBatch(const ForwardBatch& batch, const RunnerLimits& limits, int num_layers) {
  const int tokens = static_cast<int>(batch.tokens.size());
  if (tokens < 1 || tokens > limits.max_batched_tokens) {
    return Internal("batch of {} tokens: must be 1 to {}", tokens, limits.max_batched_tokens);
  }
  for (int32_t token : batch.tokens) {
    if (token < 0 || token >= limits.vocab_size) return Internal("token id {} out of range", token);
  }
  EG_RETURN_IF_ERROR(CheckSpans(batch, limits));
  EG_RETURN_IF_ERROR(CheckMedia(batch, limits, num_layers));
  EG_RETURN_IF_ERROR(CheckPositions(batch, limits));
  EG_RETURN_IF_ERROR(CheckRows(batch.logits_rows, tokens, limits.max_logits_rows, "logits"));
  return CheckRows(batch.hidden_rows, tokens, limits.max_hidden_rows, "hidden");
}

}  // namespace edgegate
