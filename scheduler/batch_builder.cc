#include "scheduler/batch_builder.h"

#include <algorithm>

#include "scheduler/sequence_group.h"

namespace edgegate {
namespace {

// Adds the image rows of the share, whose first token is batch token `first`.
void AddImageRows(const ScheduledSequence& share, int first, const RunnerLimits& limits,
                  ForwardBatch* batch) {
  const ImageQueue::Client& media = share.sequence->group->media;
  const int begin = share.sequence->num_computed, end = begin + share.count;
  for (size_t i = 0; i < media.images.size(); ++i) {
    const int position = media.images[i].position;
    const int from = std::max(begin, position);
    const int count = std::min(end, position + limits.image_rows) - from;
    if (count <= 0) continue;
    batch->images.push_back(
        {first + from - begin, count,
         media.rows[i]->data() + int64_t{from - position} * limits.hidden_size});
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
    AddImageRows(share, first, limits, batch);
  }
}

}  // namespace edgegate
