// Guesses how running sequences go on, so that one step can compute several tokens of each: from
// the sequence's own text, where that repeats itself (PromptLookup), else from a draft model, where
// there is one. What is sampled after each guess tells whether the next one's result may be used:
// guesses change when tokens come, never which.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "scheduler/draft_model.h"
#include "scheduler/prompt_lookup.h"
#include "scheduler/scheduler.h"

namespace edgegate {

// Called by the engine loop's thread only.
class Drafter {
 public:
  // `rows`: decodes and their guesses in one step, at most; 0: no guesses. `draft` may be null.
  Drafter(int rows, std::unique_ptr<ModelRunner> draft);

  // Sets the `guesses` of the sequences that decode next. Where they are not `alone`, these are few
  // and the draft model rests: prompts and pictures under way need the time more. It takes about
  // `spare`.
  void Guess(const std::vector<Sequence*>& decodes, bool alone, StepPace::Duration spare);

  // Of the sequence's guesses, `computed` were, of which the first `right` were right.
  void Learn(const Sequence& sequence, int computed, int right);

  // The sequence has ended, or lost its blocks. Due before it goes.
  void Forget(const Sequence& sequence);

  // Of the draft model; null: there is none.
  const BlockManager* draft_blocks() const { return draft_ ? &draft_->blocks() : nullptr; }

 private:
  struct State {
    PromptLookup lookup;
    bool drafted = false;  // the last guesses are the draft model's
  };

  const int rows_;
  const std::unique_ptr<DraftModel> draft_;
  std::unordered_map<const Sequence*, State> states_;
  std::vector<Sequence*> without_;  // of this step's decodes, those whose own text gives no guess
};

}  // namespace edgegate
