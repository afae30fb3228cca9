// The scores of a request's branches (GenerationRequest::branches). Each branch runs as a sequence
// of the prompt and the branch's tokens, which ends without a sampled token.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/status.h"
#include "scheduler/request.h"
#include "scheduler/scheduler.h"
#include "scheduler/sequence.h"

namespace edgegate {

// Used by the engine loop's thread, once it was handed over.
class BranchScores {
 public:
  // Most branches of a request that run or wait at once. Bounds the memory of the request, and its
  // share of the model's KV blocks.
  static constexpr int kMostAtOnce = 32;

  // `media`: the places of the items in the prompt.
  BranchScores(std::vector<int32_t> prompt, std::vector<SequenceMedia> media,
               std::vector<ScoreBranch> branches);

  // Makes the sequence of the next branch. Null: every branch has got one.
  std::unique_ptr<Sequence> NextSequence(SequenceGroup* group);

  // Adds the scores of the rows that a share of a step has computed. `logits`: the share's rows.
  // kInternal if a row has no log-probabilities.
  Status AddRows(const ScheduledSequence& share, const float* logits, int64_t vocab_size);

  // Records the end of a branch. After a failure, no further branch is started: returns the number
  // of branches that will have no sequence.
  int End(TokenEvent* event);

  // Writes the end of the request to `event`: the scores, or the first failure.
  void MoveResult(TokenEvent* event);

 private:
  const std::vector<int32_t> prompt_;
  const std::vector<SequenceMedia> media_;
  const std::vector<ScoreBranch> branches_;
  size_t next_ = 0;        // the first branch without a sequence
  size_t next_score_ = 0;  // the place of its scores
  std::vector<float> scores_;
  FinishReason end_ = FinishReason::kStop;
  Status status_;
};

// Starts the next branch of a group. The first branch runs alone, so that it computes the prompt
// for all of them; then at most kMostAtOnce run. Null: none is started now. The caller hands the
// sequence to the scheduler.
Sequence* AddBranch(SequenceGroup* group);

}  // namespace edgegate
