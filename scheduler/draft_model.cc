#include "scheduler/draft_model.h"

#include <algorithm>

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;

// A token of the sequence or, behind these, one of its guesses.
int32_t TokenAt(const Sequence& s, size_t i) {
  return i < s.tokens.size() ? s.tokens[i] : s.guesses[i - s.tokens.size()];
}

}  // namespace

DraftModel::DraftModel(std::unique_ptr<ModelRunner> runner)
    : runner_(std::move(runner)),
      limits_(runner_->limits()),
      blocks_(limits_.num_blocks),
      pace_(Duration(0)) {}

int DraftModel::Draft::unread() const {
  return static_cast<int>(sequence->tokens.size() + sequence->guesses.size() - read.size());
}

int DraftModel::GuessesIn(Duration spare) const {
  if (pace_.usual() == Duration(0)) return limits_.max_model_len;  // not known yet
  return static_cast<int>(std::clamp<int64_t>(spare / pace_.usual(), 1, limits_.max_model_len));
}

void DraftModel::Guess(const std::vector<Sequence*>& sequences, int most, Duration spare) {
  most = std::min(most, GuessesIn(spare));
  round_.clear();
  for (Sequence* sequence : sequences) {
    Draft& draft = drafts_[sequence];
    draft.sequence = sequence;
    if (Begin(&draft, most)) round_.push_back(&draft);
  }
  // Who has read most of it first: a long text does not keep others from guessing.
  std::sort(round_.begin(), round_.end(), [](const Draft* a, const Draft* b) {
    return std::pair(a->unread(), a->sequence->id) < std::pair(b->unread(), b->sequence->id);
  });
  const int tokens = std::min(pace_.PromptTokens(spare), limits_.max_batched_tokens);
  while (!round_.empty()) Pass(tokens);
}

// Whether the draft may guess now; it then has blocks for all that it will read.
bool DraftModel::Begin(Draft* draft, int most) {
  const Sequence& s = *draft->sequence;
  const int length = std::min({draft->length.Next(), most, s.guessable()});
  if (length <= 0) return false;
  // The last guess is not read.
  const int room = limits_.max_model_len - s.length() + 1;
  draft->wanted = std::min(length, room);
  if (room <= 0 || !Grow(draft, s.length() + draft->wanted - 1)) {
    GiveUp(draft);
    return false;
  }
  // What it has read and did not come counts no more, nor does the last token: its logits are
  // needed.
  const auto came =
      std::mismatch(draft->read.begin(), draft->read.end(), s.tokens.begin(), s.tokens.end() - 1);
  draft->read.erase(came.first, draft->read.end());
  return true;
}

// Gives the draft blocks for `length` tokens. False when too few are free.
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
  draft->read.clear();
}

void DraftModel::GiveUp(Draft* draft) {
  ReleaseBlocks(draft);
  draft->length.Learn(1, 0);
}

// Lets the round's drafts read on, `most_tokens` in all; those that come to their end guess a
// token. The next round is those of them that want to guess more.
void DraftModel::Pass(int most_tokens) {
  batch_.Clear();
  guessing_.clear();
  for (Draft* draft : round_) {
    const int first = static_cast<int>(batch_.tokens.size());
    const int unread = draft->unread();
    const int count = std::min(unread, most_tokens - first);
    const bool guesses = count == unread;
    if (count == 0) break;
    if (guesses && static_cast<int>(guessing_.size()) == limits_.max_logits_rows) break;
    batch_.spans.push_back(
        {first, count, static_cast<int>(draft->read.size()), draft->block_table});
    for (int i = 0; i < count; ++i) {
      draft->read.push_back(TokenAt(*draft->sequence, draft->read.size()));
      batch_.tokens.push_back(draft->read.back());
    }
    if (!guesses) continue;
    batch_.logits_rows.push_back(first + count - 1);
    guessing_.push_back(draft);
  }
  const auto began = Clock::now();
  const auto output = runner_->Forward(batch_);
  if (!output.ok()) {
    for (Draft* draft : round_) GiveUp(draft);
    round_.clear();
    return;
  }
  const int tokens = static_cast<int>(batch_.tokens.size());
  const bool reads = tokens > limits_.cheap_rows;
  const StepPace::Load load{.decodes = reads ? 0 : tokens, .prompt_tokens = reads ? tokens : 0};
  pace_.Learn(load, Clock::now() - began);
  const float* row = output->logits;
  for (Draft* draft : guessing_) {
    const float* best = std::max_element(row, row + limits_.vocab_size);
    draft->sequence->guesses.push_back(static_cast<int32_t>(best - row));
    row += limits_.vocab_size;
  }
  std::erase_if(guessing_, [](const Draft* draft) {
    return static_cast<int>(draft->sequence->guesses.size()) == draft->wanted;
  });
  std::swap(round_, guessing_);
}

void DraftModel::Learn(const Sequence& sequence, int computed, int right) {
  const auto draft = drafts_.find(&sequence);
  if (draft != drafts_.end()) draft->second.length.Learn(computed, right);
}

void DraftModel::Forget(const Sequence& sequence) {
  const auto draft = drafts_.find(&sequence);
  if (draft == drafts_.end()) return;
  ReleaseBlocks(&draft->second);
  drafts_.erase(draft);
}

}  // namespace edgegate
