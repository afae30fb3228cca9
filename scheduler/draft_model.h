// Draft tokens from a second, much smaller model of the same vocabulary (Leviathan et al. 2023,
// arXiv:2211.17192; Chen et al. 2023, arXiv:2302.01318). Draft tokens are the most likely ones
// (greedy). The draft model has its own KV pool. It prefills each sequence in chunks, and
// overwrites the KV of rejected draft tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/model/model_runner.h"
#include "scheduler/block_manager.h"
#include "scheduler/draft_length.h"
#include "scheduler/sequence.h"
#include "scheduler/step_pace.h"

namespace edgegate {

// Called by the engine loop's thread only. Never fails: a sequence gets no draft tokens if no KV
// block is free, if it is longer than the draft model's context, or if its forward pass failed. It
// then gives its blocks back and is tried again less and less often.
class DraftModel {
 public:
  using Duration = StepPace::Duration;

  explicit DraftModel(std::unique_ptr<ModelRunner> runner);

  // Appends to the empty `draft_tokens` of these sequences, at most `max_tokens` each, and no more
  // than fit into `spare` time, but at least one. A sequence that has to be prefilled first gets no
  // draft tokens until that is done. A call prefills as many tokens as fit into `spare` time, at
  // least a few.
  void Propose(const std::vector<Sequence*>& sequences, int max_tokens, Duration spare);

  // Reports the outcome of the sequence's last draft: `computed` tokens were checked, and the first
  // `accepted` of them were accepted.
  void Learn(const Sequence& sequence, int computed, int accepted);

  // Frees the state and blocks of the sequence, if any. Must be called before the sequence is
  // destroyed.
  void Forget(const Sequence& sequence);

  const BlockManager& blocks() const { return blocks_; }

 private:
  // State of one sequence.
  struct Draft {
    Sequence* sequence = nullptr;
    std::vector<int32_t> computed;  // tokens whose KV is in the blocks, draft tokens included
    std::vector<int32_t> block_table;
    DraftLength length;
    int wanted = 0;  // draft tokens to propose in this call

    int remaining() const;  // tokens that are not computed yet
  };
  bool Begin(Draft* draft, int max_tokens);
  bool Grow(Draft* draft, int length);
  void GiveUp(Draft* draft);
  void ReleaseBlocks(Draft* draft);
  int TokensIn(Duration spare) const;
  void Pass(int max_tokens);

  const std::unique_ptr<ModelRunner> runner_;
  const RunnerLimits limits_;
  BlockManager blocks_;
  std::unordered_map<const Sequence*, Draft> drafts_;
  StepPace pace_;  // of the draft model's passes

  // Scratch of a call. Members, so that a pass allocates nothing.
  std::vector<Draft*> round_;     // drafts that the next pass continues
  std::vector<Draft*> sampling_;  // those of them that get a draft token in this pass
  ForwardBatch batch_;
};

}  // namespace edgegate
