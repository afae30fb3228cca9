#include "scheduler/draft_model.h"

#include <algorithm>

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;

// Token `i` of the sequence followed by its draft tokens.
int32_t TokenAt(const Sequence& s, size_t i) {
  return i < s.tokens.size() ? s.tokens[i] : s.draft_tokens[i - s.tokens.size()];
}

}  // namespace

DraftModel::DraftModel(std::unique_ptr<ModelRunner> runner)
    : runner_(std::move(runner)),
      limits_(runner_->limits()),
      blocks_(limits_.num_blocks),
      pace_(Duration(0)) {}

int DraftModel::Draft::remaining() const {
  return static_cast<int>(sequence->tokens.size() + sequence->draft_tokens.size() -
                          computed.size());
}

int DraftModel::TokensIn(Duration spare) const {
  if (pace_.baseline_itl() == Duration(0)) return limits_.max_model_len;  // nothing measured yet
  return static_cast<int>(
      std::clamp<int64_t>(spare / pace_.baseline_itl(), 1, limits_.max_model_len));
}

void DraftModel::Propose(const std::vector<Sequence*>& sequences, int max_tokens, Duration spare) {
  max_tokens = std::min(max_tokens, TokensIn(spare));
  round_.clear();
  for (Sequence* sequence : sequences) {
    Draft& draft = drafts_[sequence];
    draft.sequence = sequence;
    if (Begin(&draft, max_tokens)) round_.push_back(&draft);
  }
  // Sequences with the fewest remaining tokens come first, so that a long prompt delays no others.
  std::sort(round_.begin(), round_.end(), [](const Draft* a, const Draft* b) {
    return std::pair(a->remaining(), a->sequence->id) < std::pair(b->remaining(), b->sequence->id);
  });
  const int tokens = std::min(pace_.PromptTokens(spare), limits_.max_batched_tokens);
  while (!round_.empty()) Pass(tokens);
}

// Prepares a draft of at most `max_tokens` tokens, with blocks for all of it. False if there is
// none in this call.
bool DraftModel::Begin(Draft* draft, int max_tokens) {
  const Sequence& s = *draft->sequence;
  const int length = std::min({draft->length.Next(), max_tokens, s.draft_limit()});
  if (length <= 0) return false;
  // The last draft token is not computed by the draft model.
  const int room = limits_.max_model_len - s.length() + 1;
  draft->wanted = std::min(length, room);
  if (room <= 0 || !Grow(draft, s.length() + draft->wanted - 1)) {
    GiveUp(draft);
    return false;
  }
  // Drops the KV of rejected tokens, and of the last token, whose logits are needed.
  const auto kept = std::mismatch(draft->computed.begin(), draft->computed.end(), s.tokens.begin(),
                                  s.tokens.end() - 1);
  draft->computed.erase(kept.first, draft->computed.end());
  return true;
}

// Gives the draft blocks for `length` tokens. False if too few are free.
bool DraftModel::Grow(Draft* draft, int length) {
  const int needed =
      BlocksFor(length, limits_.block_size) - static_cast<int>(draft->block_table.size());
  if (needed > blocks_.num_free()) return false;
  for (int i = 0; i < needed; ++i) draft->block_table.push_back(blocks_.Allocate());
  return true;
}

void DraftModel::ReleaseBlocks(Draft* draft) {
  for (int32_t block : draft->block_table) blocks_.Release(block);
  draft->block_table.clear();
  draft->computed.clear();
}

void DraftModel::GiveUp(Draft* draft) {
  ReleaseBlocks(draft);
  draft->length.Learn(1, 0);
}

// One forward pass over the round's drafts, of `max_tokens` tokens at most. Drafts that have no
// remaining tokens after it get a draft token. The next round has those that want more of them.
void DraftModel::Pass(int max_tokens) {
  batch_.Clear();
  sampling_.clear();
  for (Draft* draft : round_) {
    const int first = static_cast<int>(batch_.tokens.size());
    const int remaining = draft->remaining();
    const int count = std::min(remaining, max_tokens - first);
    const bool samples = count == remaining;
    if (count == 0) break;
    if (samples && static_cast<int>(sampling_.size()) == limits_.max_logits_rows) break;
    batch_.spans.push_back(
        {first, count, static_cast<int>(draft->computed.size()), draft->block_table});
    for (int i = 0; i < count; ++i) {
      draft->computed.push_back(TokenAt(*draft->sequence, draft->computed.size()));
      batch_.tokens.push_back(draft->computed.back());
    }
    if (!samples) continue;
    batch_.logits_rows.push_back(first + count - 1);
    sampling_.push_back(draft);
  }
  const auto began = Clock::now();
  const auto output = runner_->Forward(batch_);
  if (!output.ok()) {
    for (Draft* draft : round_) GiveUp(draft);
    round_.clear();
    return;
  }
  const int tokens = static_cast<int>(batch_.tokens.size());
  const bool prefills = tokens > limits_.cheap_rows;
  const StepPace::Load load{.decodes = prefills ? 0 : tokens,
                            .prompt_tokens = prefills ? tokens : 0};
  pace_.Learn(load, Clock::now() - began);
  const float* row = output->logits;
  for (Draft* draft : sampling_) {
    const float* best = std::max_element(row, row + limits_.vocab_size);
    draft->sequence->draft_tokens.push_back(static_cast<int32_t>(best - row));
    row += limits_.vocab_size;
  }
  std::erase_if(sampling_, [](const Draft* draft) {
    return static_cast<int>(draft->sequence->draft_tokens.size()) == draft->wanted;
  });
  std::swap(round_, sampling_);
}

void DraftModel::Learn(const Sequence& sequence, int computed, int accepted) {
  const auto draft = drafts_.find(&sequence);
  if (draft != drafts_.end()) draft->second.length.Learn(computed, accepted);
}

void DraftModel::Forget(const Sequence& sequence) {
  const auto draft = drafts_.find(&sequence);
  if (draft == drafts_.end()) return;
  ReleaseBlocks(&draft->second);
  drafts_.erase(draft);
}

}  // namespace edgegate
