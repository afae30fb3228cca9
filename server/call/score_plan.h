// The continuations of a prompt whose log-probabilities tell which option of a question the model
// would answer.
#pragma once

#include <cstdint>
#include <vector>

#include "scheduler/request.h"
#include "server/worker/question_job.h"

namespace edgegate {

// An option is scored up to the token that tells it from all others. Its log-probability is that of
// an answer which begins with these tokens. Tokens that all options begin with are not counted. An
// option that is the beginning of another one is scored with the end of the answer.
class ScorePlan {
 public:
  // Adds a question. `ends`: the tokens that end an answer. Options that share tokens share a
  // branch, so that options with different first tokens take one row of logits.
  void Add(const EncodedQuestion& question, const std::vector<int32_t>& ends);

  const std::vector<ScoreBranch>& branches() const { return branches_; }
  std::vector<ScoreBranch> TakeBranches() { return std::move(branches_); }

  // Returns the log-probability of each option of each question. `scores`: of all branches, as in
  // TokenEvent.
  std::vector<std::vector<double>> LogProbabilities(const std::vector<float>& scores) const;

 private:
  // Scores of alternatives: their probabilities are added.
  using Term = std::vector<size_t>;
  // The terms of an option: their log-probabilities are added.
  using OptionTerms = std::vector<Term>;

  std::vector<ScoreBranch> branches_;
  std::vector<std::vector<OptionTerms>> questions_;
  size_t num_scores_ = 0;

  class Walk;
};

// Returns the probabilities that a softmax gives after division by `temperature`.
std::vector<double> Softmax(const std::vector<double>& logprobs, double temperature);

}  // namespace edgegate
