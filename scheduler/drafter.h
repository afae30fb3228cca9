// Speculative decoding: proposes draft tokens for running sequences, so that one step can compute
// several tokens of each. Drafts come from the sequence's own text (PromptLookup), or else from a
// draft model, if there is one. A draft token is accepted if it equals the token that is sampled at
// its position. Drafts therefore change when tokens come, and never which tokens.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "scheduler/draft_model.h"
#include "scheduler/prompt_lookup.h"
#include "scheduler/sequence.h"

namespace edgegate {

// Called by the engine loop's thread only.
class Drafter {
 public:
  // `rows`: most decodes and draft tokens in one step together; 0 disables drafts. `draft` may be
  // null.
  Drafter(int rows, std::unique_ptr<ModelRunner> draft);

  // Replaces the `draft_tokens` of the sequences that decode next. If prompts or images wait for
  // the step (`alone` is false), drafts are short and the draft model is not run. The draft model
  // gets about `spare` time.
  void Propose(const std::vector<Sequence*>& decodes, bool alone, StepPace::Duration spare);

  // Reports the outcome of the sequence's last draft: `computed` tokens were checked, and the first
  // `accepted` of them were accepted.
  void Learn(const Sequence& sequence, int computed, int accepted);

  // Drops the state of a sequence that has ended or was preempted. Must be called before the
  // sequence is destroyed.
  void Forget(const Sequence& sequence);

  // KV blocks of the draft model; null if there is none.
  const BlockManager* draft_blocks() const { return draft_ ? &draft_->blocks() : nullptr; }

 private:
  struct State {
    PromptLookup lookup;
    bool from_model = false;  // the last draft came from the draft model
  };

  const int rows_;
  const std::unique_ptr<DraftModel> draft_;
  std::unordered_map<const Sequence*, State> states_;
  std::vector<Sequence*> unmatched_;  // decodes of this step without a prompt-lookup draft
};

}  // namespace edgegate
