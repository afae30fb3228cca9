// Guesses of how sequences go on, from a second and much smaller model of the same vocabulary
// (Leviathan et al. 2023, arXiv:2211.17192; Chen et al. 2023, arXiv:2302.01318), greedily: the
// tokens that it finds likeliest. It has a KV pool of its own, reads each sequence in chunks, and
// writes over what did not come.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/model/model_runner.h"
#include "scheduler/block_manager.h"
#include "scheduler/guess_length.h"
#include "scheduler/scheduler.h"
#include "scheduler/step_pace.h"

namespace edgegate {

// Called by the engine loop's thread only. Never fails: a sequence that finds no block free, is
// longer than the model's context, or whose pass failed, gets no guesses, gives its blocks back,
// and is tried again ever more rarely.
class DraftModel {
 public:
  using Duration = StepPace::Duration;

  explicit DraftModel(std::unique_ptr<ModelRunner> runner);

  // Adds to the empty `guesses` of these sequences, at most `most` each, and no more than `spare`
  // is enough time for, but for the first. One that the model has to read first gets none as long
  // as that takes: a call reads what `spare` is enough for, but a few tokens at least.
  void Guess(const std::vector<Sequence*>& sequences, int most, Duration spare);

  // Of the sequence's last guesses, `computed` tokens were, of which the first `right` were right.
  void Learn(const Sequence& sequence, int computed, int right);

  // Frees what it has of the sequence, if anything. Due before the sequence goes.
  void Forget(const Sequence& sequence);

  const BlockManager& blocks() const { return blocks_; }

 private:
  // What it has of a sequence.
  struct Draft {
    Sequence* sequence = nullptr;
    std::vector<int32_t> read;  // tokens, guesses too, whose KV is in the blocks
    std::vector<int32_t> block_table;
    GuessLength length;
    int wanted = 0;  // guesses, in this call

    int unread() const;
  };
  bool Begin(Draft* draft, int most);
  bool Grow(Draft* draft, int length);
  void GiveUp(Draft* draft);
  void ReleaseBlocks(Draft* draft);
  int GuessesIn(Duration spare) const;
  void Pass(int most_tokens);

  const std::unique_ptr<ModelRunner> runner_;
  const RunnerLimits limits_;
  BlockManager blocks_;
  std::unordered_map<const Sequence*, Draft> drafts_;
  StepPace pace_;  // the draft's own

  // Of this call; members, so that a pass allocates nothing.
  std::vector<Draft*> round_;     // those that want to read and guess
  std::vector<Draft*> guessing_;  // of them, those that the pass lets guess
  ForwardBatch batch_;
};

}  // namespace edgegate
