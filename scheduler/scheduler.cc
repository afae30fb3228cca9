#include "scheduler/scheduler.h"

#include <algorithm>
#include <cassert>

namespace edgegate {

Scheduler::Scheduler(const SchedulerConfig& config)
    : config_(config), blocks_(config.num_blocks), queue_(MakeQueuePolicy(config.queue_policy)) {}

bool Scheduler::Fits(int tokens) const {
  return BlocksFor(tokens, config_.block_size) <= config_.num_blocks;
}

void Scheduler::Add(Sequence* sequence) {
  assert(sequence->state == Sequence::State::kWaiting);
  queue_.Add(sequence);
}

void Scheduler::Remove(Sequence* sequence) {
  queue_.Remove(sequence);
  std::erase(running_, sequence);
  FreeBlocks(sequence);
  sequence->state = Sequence::State::kFinished;
}

int Scheduler::num_runnable() const {
  return static_cast<int>(std::count_if(running_.begin(), running_.end(),
                                        [](const Sequence* s) { return !s->paused; }));
}

const std::vector<Sequence*>& Scheduler::Decodes() {
  decodes_.clear();
  std::copy_if(running_.begin(), running_.end(), std::back_inserter(decodes_),
               [&](const Sequence* s) { return !s->paused && IsDecode(*s); });
  return decodes_;
}

// Gives the sequence blocks for `length` tokens, and preempts others while too few are free. False
// if the sequence itself must be preempted.
bool Scheduler::Grow(Sequence* sequence, int length) {
  const int needed =
      BlocksFor(length, config_.block_size) - static_cast<int>(sequence->block_table.size());
  while (blocks_.num_free() < needed) {
    Sequence* victim = queue_.policy().VictimOfGrowth(View(), *sequence);
    if (victim == nullptr) return false;
    Preempt(victim);
  }
  for (int i = 0; i < needed; ++i) sequence->block_table.push_back(blocks_.Allocate());
  return true;
}

// Fills in how many of the sequence's next tokens fit the budget, and which of them give logits.
// Returns their number.
int Scheduler::ChunkOf(const Sequence& s, const Budget& budget, ScheduledSequence* share) const {
  const int limit = IsDecode(s) ? budget.tokens : std::min(budget.tokens, budget.prompt_tokens);
  int count = std::min(s.length() - s.num_computed, limit);
  // Rows are wanted for prompt positions that were not delivered yet, and for the last token.
  const bool prompt_wanted = s.wants_prompt_logits && s.prompt_logits_done < s.prompt_len;
  const int first_wanted =
      prompt_wanted ? std::max(s.num_computed, s.prompt_logits_done) : s.length() - 1;
  auto rows = [&](int n) { return std::max(0, s.num_computed + n - first_wanted); };
  if (rows(count) > budget.logits_rows) count = first_wanted + budget.logits_rows - s.num_computed;
  if (count <= 0) return 0;
  share->count = count;
  share->first_logits = count - rows(count);
  share->samples = s.num_computed + count == s.length();
  return count;
}

// Number of draft tokens that fit a decode's step. They take no block that another sequence may
// need.
int Scheduler::DraftTokensOf(const Sequence& s, const Budget& budget) const {
  const int length = s.num_computed + 1;
  const int spare = std::max(0, blocks_.num_free() - num_running());
  const int positions = (BlocksFor(length, config_.block_size) + spare) * config_.block_size;
  const int proposed = static_cast<int>(s.draft_tokens.size());
  return std::max(0, std::min({proposed, budget.draft_tokens, positions - length}));
}

// Draft tokens that fit beside one token, with its logits row, of each decode and of a prompt.
int Scheduler::RoomForDrafts() const {
  const auto decodes =
      static_cast<int>(std::count_if(running_.begin(), running_.end(), [&](const Sequence* s) {
        return !s->paused && IsDecode(*s);
      }));
  const bool prompts = decodes < num_runnable() || !queue_.empty();
  const int rows = std::min(config_.max_num_batched_tokens, config_.max_logits_rows);
  return std::max(0, rows - decodes - (prompts ? 1 : 0));
}

// Adds the sequence's share to the step. False if nothing of it fits.
bool Scheduler::ScheduleOne(Sequence* sequence, Budget* budget) {
  ScheduledSequence share{sequence};
  const int count = ChunkOf(*sequence, *budget, &share);
  if (count == 0) return false;
  if (IsDecode(*sequence)) {
    // A waiting sequence whose tokens are all cached decodes at once. RoomForDrafts() left no room
    // for it.
    const int room = std::min(budget->tokens - count, budget->logits_rows - share.logits_rows());
    share.num_draft_tokens = std::min(DraftTokensOf(*sequence, *budget), std::max(room, 0));
  }
  if (!Grow(sequence, sequence->num_computed + count + share.num_draft_tokens)) return false;
  budget->tokens -= count + share.num_draft_tokens;
  budget->draft_tokens -= share.num_draft_tokens;
  if (!IsDecode(*sequence)) budget->prompt_tokens -= count;
  budget->logits_rows -= share.logits_rows();
  step_.push_back(share);
  sequence->last_step = num_steps_;
  return true;
}

// Schedules the candidates that decode, or those that prefill. A sequence that grows may preempt
// others, also those that the step contains already.
void Scheduler::ScheduleRunning(bool decodes, Budget* budget) {
  for (Sequence* sequence : candidates_) {
    if (sequence->state != Sequence::State::kRunning || sequence->paused ||
        IsDecode(*sequence) != decodes || sequence->last_step == num_steps_) {
      continue;
    }
    if (budget->tokens == 0) break;
    if (!ScheduleOne(sequence, budget) && decodes && budget->logits_rows > 0) Preempt(sequence);
  }
}

// The candidate whose prompt is computed next; null if there is none.
const Sequence* Scheduler::FirstPrompt() const {
  const auto first = std::find_if(candidates_.begin(), candidates_.end(), [&](const Sequence* s) {
    return s->state == Sequence::State::kRunning && !s->paused && !IsDecode(*s);
  });
  return first == candidates_.end() ? nullptr : *first;
}

// Decodes first; then waiting sequences that overtake the prompts that are being computed; then
// these prompts; then other waiting sequences.
void Scheduler::ChooseStep(int prompt_tokens) {
  Budget budget{config_.max_num_batched_tokens, prompt_tokens, config_.max_logits_rows,
                RoomForDrafts()};
  ++num_steps_;
  step_.clear();
  candidates_ = running_;
  queue_.policy().OrderRunning(View(), &candidates_);
  ScheduleRunning(true, &budget);
  if (const Sequence* prompt = FirstPrompt()) AdmitWaiting(prompt, &budget);
  ScheduleRunning(false, &budget);
  AdmitWaiting(nullptr, &budget);
}

const std::vector<ScheduledSequence>& Scheduler::Schedule(int prompt_tokens) {
  // A sequence that grows may preempt all others of the step and still not find enough blocks. Each
  // attempt leaves fewer running sequences.
  uint64_t preemptions;
  copies_.clear();
  do {
    preemptions = num_preemptions_;
    ChooseStep(prompt_tokens);
  } while (step_.empty() && num_preemptions_ > preemptions);
  return step_;
}

void Scheduler::Advance(const ScheduledSequence& share) {
  Sequence& s = *share.sequence;
  const int filled = s.num_computed / config_.block_size;
  s.num_computed += share.count;
  s.computed += share.count;
  s.progress += std::max(0, s.num_computed - std::max(s.charged, s.num_computed - share.count));
  queue_.Charge(&s, s.num_computed);
  RegisterCommonTail(&s, s.num_computed - share.count);
  for (int i = filled; config_.prefix_caching && i < s.num_computed / config_.block_size; ++i) {
    blocks_.Register(s.block_table[static_cast<size_t>(i)], KeyOf(&s, i));
  }
  s.prompt_logits_done = std::max(s.prompt_logits_done, std::min(s.num_computed, s.prompt_len));
}

}  // namespace edgegate
