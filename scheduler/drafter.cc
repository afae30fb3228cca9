#include "scheduler/drafter.h"

#include <algorithm>

namespace edgegate {
namespace {

// Longest draft in a step with prompts or images, which make the step long enough.
constexpr int kMaxBesidePrompts = 2;
// Shortest n-gram that prompt lookup matches. A draft model predicts better than a single token
// does.
constexpr int kMinNgram = 1, kMinNgramWithModel = 2;

}  // namespace

Drafter::Drafter(int rows, std::unique_ptr<ModelRunner> draft)
    : rows_(rows), draft_(draft ? std::make_unique<DraftModel>(std::move(draft)) : nullptr) {}

void Drafter::Propose(const std::vector<Sequence*>& decodes, bool alone, StepPace::Duration spare) {
  if (decodes.empty()) return;
  const int room = rows_ / static_cast<int>(decodes.size()) - 1;
  const int max_tokens = alone ? room : std::min(room, kMaxBesidePrompts);
  unmatched_.clear();
  for (Sequence* sequence : decodes) {
    State& state = states_[sequence];
    state.lookup.Propose(sequence->tokens, std::min(max_tokens, sequence->draft_limit()),
                         draft_ ? kMinNgramWithModel : kMinNgram, &sequence->draft_tokens);
    state.from_model = sequence->draft_tokens.empty();
    if (state.from_model) unmatched_.push_back(sequence);
  }
  if (draft_ && alone && max_tokens > 0) draft_->Propose(unmatched_, max_tokens, spare);
}

void Drafter::Learn(const Sequence& sequence, int computed, int accepted) {
  const auto state = states_.find(&sequence);
  if (state == states_.end() || computed == 0) return;
  if (state->second.from_model) {
    draft_->Learn(sequence, computed, accepted);
  } else {
    state->second.lookup.Learn(computed, accepted);
  }
}

void Drafter::Forget(const Sequence& sequence) {
  states_.erase(&sequence);
  if (draft_) draft_->Forget(sequence);
}

}  // namespace edgegate
