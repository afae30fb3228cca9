#include "scheduler/drafter.h"

#include <algorithm>

namespace edgegate {
namespace {

// Beside prompts and pictures, which make a step long enough.
constexpr int kFewGuesses = 2;
// Tokens that have come up before: beside a draft model, which knows more than one tells, two.
constexpr int kAlike = 1, kAlikeBesideDraft = 2;

}  // namespace

Drafter::Drafter(int rows, std::unique_ptr<ModelRunner> draft)
    : rows_(rows), draft_(draft ? std::make_unique<DraftModel>(std::move(draft)) : nullptr) {}

void Drafter::Guess(const std::vector<Sequence*>& decodes, bool alone, StepPace::Duration spare) {
  if (decodes.empty()) return;
  const int room = rows_ / static_cast<int>(decodes.size()) - 1;
  const int most = alone ? room : std::min(room, kFewGuesses);
  without_.clear();
  for (Sequence* sequence : decodes) {
    State& state = states_[sequence];
    state.lookup.Guess(sequence->tokens, std::min(most, sequence->guessable()),
                       draft_ ? kAlikeBesideDraft : kAlike, &sequence->guesses);
    state.drafted = sequence->guesses.empty();
    if (state.drafted) without_.push_back(sequence);
  }
  if (draft_ && alone && most > 0) draft_->Guess(without_, most, spare);
}

void Drafter::Learn(const Sequence& sequence, int computed, int right) {
  const auto state = states_.find(&sequence);
  if (state == states_.end() || computed == 0) return;
  if (state->second.drafted) {
    draft_->Learn(sequence, computed, right);
  } else {
    state->second.lookup.Learn(computed, right);
  }
}

void Drafter::Forget(const Sequence& sequence) {
  states_.erase(&sequence);
  if (draft_) draft_->Forget(sequence);
}

}  // namespace edgegate
