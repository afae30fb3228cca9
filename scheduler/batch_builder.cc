#include "scheduler/batch_builder.h"

#include <algorithm>

#include "scheduler/sequence_group.h"

namespace edgegate {
namespace {

// Adds the media rows of the share, whose first token is batch token `first`.
void AddMediaRows(const ScheduledSequence& share, int first, ForwardBatch* batch) {
  const MediaQueue::Client& media = share.sequence->group->media;
  const int begin = share.sequence->num_computed, end = begin + share.count;
  for (size_t i = 0; i < media.items.size(); ++i) {
    const MediaEmbedding* embedding = media.embeddings[i].get();
    const int position = media.items[i].position;
    const int from = std::max(begin, position);
    const int count = std::min(end, position + embedding->rows) - from;
    if (count <= 0) continue;
    batch->media.push_back({first + from - begin, count, from - position, embedding});
  }
}

}  // namespace

void BuildBatch(const std::vector<ScheduledSequence>& step, const RunnerLimits& limits,
                ForwardBatch* batch) {
  batch->Clear();
  for (const ScheduledSequence& share : step) {
    const Sequence& s = *share.sequence;
    const int first = static_cast<int>(batch->tokens.size());
    const int count = share.count + share.num_draft_tokens;
    batch->spans.push_back({first, count, s.num_computed, s.block_table});
    const auto begin = s.tokens.begin() + s.num_computed;
    batch->tokens.insert(batch->tokens.end(), begin, begin + share.count);
    batch->tokens.insert(batch->tokens.end(), s.draft_tokens.begin(),
                         s.draft_tokens.begin() + share.num_draft_tokens);
    for (int i = 0; i < share.logits_rows(); ++i) {
      batch->logits_rows.push_back(first + share.first_logits + i);
    }
    AddMediaRows(share, first, batch);
    for (int i = 0; i < count && limits.position_axes > 1; ++i) {
      batch->positions.push_back(s.group->positions.At(s.num_computed + i));
    }
  }
}

}  // namespace edgegate
