#include "scheduler/branch_scores.h"

#include <algorithm>
#include <utility>

#include "engine/sampling/sampler.h"
#include "scheduler/sequence_group.h"

namespace edgegate {
namespace {

size_t CountScores(const ScoreBranch& branch) {
  size_t count = 0;
  for (const ScoreRow& row : branch.rows) count += row.tokens.size();
  return count;
}

}  // namespace

BranchScores::BranchScores(std::vector<int32_t> prompt, std::vector<SequenceMedia> media,
                           std::vector<ScoreBranch> branches)
    : prompt_(std::move(prompt)), media_(std::move(media)), branches_(std::move(branches)) {
  size_t count = 0;
  for (const ScoreBranch& branch : branches_) count += CountScores(branch);
  scores_.resize(count);
}

std::unique_ptr<Sequence> BranchScores::NextSequence(SequenceGroup* group) {
  if (next_ == branches_.size()) return nullptr;
  const ScoreBranch& branch = branches_[next_++];
  auto sequence = std::make_unique<Sequence>();
  sequence->group = group;
  sequence->tenant = group->request.tenant;
  sequence->client = group->request.client;
  sequence->tokens.reserve(prompt_.size() + branch.tokens.size());
  sequence->tokens = prompt_;
  sequence->tokens.insert(sequence->tokens.end(), branch.tokens.begin(), branch.tokens.end());
  sequence->prompt_len = sequence->length();
  sequence->max_tokens = 1;
  sequence->media = media_;
  sequence->branch = &branch;
  sequence->first_score = next_score_;
  sequence->common_prefix = static_cast<int>(prompt_.size());
  // Only the rows from the first wanted one on are computed.
  sequence->wants_prompt_logits = true;
  sequence->prompt_logits_done = static_cast<int>(prompt_.size()) + branch.rows[0].offset - 1;
  next_score_ += CountScores(branch);
  return sequence;
}

Status BranchScores::AddRows(const ScheduledSequence& share, const float* logits,
                             int64_t vocab_size) {
  const Sequence& s = *share.sequence;
  const int first = s.num_computed + share.first_logits, end = s.num_computed + share.count;
  float* out = scores_.data() + s.first_score;
  for (const ScoreRow& row : s.branch->rows) {
    // The logits at a position are those of the next token.
    const int position = static_cast<int>(prompt_.size()) + row.offset - 1;
    if (position >= first && position < end) {
      const float* values = logits + (position - first) * vocab_size;
      EG_RETURN_IF_ERROR(TokenLogprobs({values, static_cast<size_t>(vocab_size)}, row.tokens, out));
    }
    out += row.tokens.size();
  }
  return {};
}

int BranchScores::End(TokenEvent* event) {
  if (event->finish == FinishReason::kStop || end_ != FinishReason::kStop) return 0;
  end_ = event->finish;
  status_ = std::move(event->status);
  return static_cast<int>(branches_.size() - std::exchange(next_, branches_.size()));
}

void BranchScores::MoveResult(TokenEvent* event) {
  event->finish = end_;
  event->status = std::move(status_);
  if (end_ == FinishReason::kStop) event->scores = std::move(scores_);
}

Sequence* AddBranch(SequenceGroup* group) {
  if (!group->scores) return nullptr;
  auto& all = group->sequences;
  const auto ended = [](const auto& s) { return s->state == Sequence::State::kFinished; };
  // The first one tells how much of the prompt was cached.
  if (!ended(all.front())) return nullptr;
  all.erase(std::remove_if(all.begin() + 1, all.end(), ended), all.end());
  if (std::ssize(all) > BranchScores::kMostAtOnce) return nullptr;
  auto next = group->scores->NextSequence(group);
  if (!next) return nullptr;
  all.push_back(std::move(next));
  return all.back().get();
}

}  // namespace edgegate
