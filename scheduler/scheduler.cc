#include "scheduler/scheduler.h"

#include <algorithm>
#include <cassert>

#include "engine/base/sha256.h"

namespace edgegate {

Scheduler::Scheduler(const SchedulerConfig& config) : config_(config), blocks_(config.num_blocks) {}

bool Scheduler::Fits(int tokens) const {
  return BlocksFor(tokens, config_.block_size) <= config_.num_blocks;
}

void Scheduler::Add(Sequence* sequence) {
  assert(sequence->state == Sequence::State::kWaiting);
  waiting_.push_back(sequence);
}

void Scheduler::Remove(Sequence* sequence) {
  std::erase(waiting_, sequence);
  std::erase(running_, sequence);
  FreeBlocks(sequence);
  sequence->state = Sequence::State::kFinished;
  // Followers that have not forked yet compute the prompt themselves.
  for (Sequence* waiting : waiting_) {
    if (waiting->leader == sequence) waiting->leader = nullptr;
  }
}

void Scheduler::FreeBlocks(Sequence* sequence) {
  // From the end: where room is needed, the ends of prefixes go before their beginnings.
  for (auto block = sequence->block_table.rbegin(); block != sequence->block_table.rend();
       ++block) {
    blocks_.Release(*block);
  }
  sequence->block_table.clear();
  sequence->num_computed = 0;
}

// Preemption by recompute: the blocks go back, and the sequence waits in front, in order of
// arrival, to compute its tokens again.
void Scheduler::Preempt(Sequence* sequence) {
  std::erase(running_, sequence);
  FreeBlocks(sequence);
  sequence->state = Sequence::State::kWaiting;
  ++sequence->preemptions;
  ++num_preemptions_;
  auto place = std::find_if(waiting_.begin(), waiting_.end(),
                            [&](const Sequence* other) { return other->id > sequence->id; });
  waiting_.insert(place, sequence);
}

// Gives the sequence blocks for `length` tokens, taking them from younger running sequences where
// none is free. False when it would have to take its own.
bool Scheduler::Grow(Sequence* sequence, int length) {
  const int needed =
      BlocksFor(length, config_.block_size) - static_cast<int>(sequence->block_table.size());
  while (blocks_.num_free() < needed) {
    Sequence* youngest = running_.back();
    if (youngest == sequence || youngest->id < sequence->id) return false;
    Preempt(youngest);
  }
  for (int i = 0; i < needed; ++i) sequence->block_table.push_back(blocks_.Allocate());
  return true;
}

// How many of the sequence's next tokens fit the budgets, and which give logits.
int Scheduler::ChunkOf(const Sequence& s, const Budget& budget, ScheduledSequence* share) const {
  const int most = IsDecode(s) ? budget.tokens : std::min(budget.tokens, budget.prompt_tokens);
  int count = std::min(s.length() - s.num_computed, most);
  // Rows are wanted for prompt positions not reported yet, and for the last token.
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

// How many of the guesses fit a decode's step: they take no block that another may need.
int Scheduler::GuessesOf(const Sequence& s, const Budget& budget) const {
  const int length = s.num_computed + 1;
  const int spare = std::max(0, blocks_.num_free() - num_running());
  const int slots = (BlocksFor(length, config_.block_size) + spare) * config_.block_size;
  return std::max(0,
                  std::min({static_cast<int>(s.guesses.size()), budget.guesses, slots - length}));
}

// Beside one token, and its logits row, of each decode and of a prompt.
int Scheduler::RoomForGuesses() const {
  const auto decodes = static_cast<int>(std::count_if(
      running_.begin(), running_.end(), [&](const Sequence* s) { return IsDecode(*s); }));
  const bool prompts = decodes < num_running() || !waiting_.empty();
  const int most = std::min(config_.max_num_batched_tokens, config_.max_logits_rows);
  return std::max(0, most - decodes - (prompts ? 1 : 0));
}

bool Scheduler::ScheduleOne(Sequence* sequence, Budget* budget) {
  ScheduledSequence share{sequence};
  const int count = ChunkOf(*sequence, *budget, &share);
  if (count == 0) return false;
  if (IsDecode(*sequence)) share.guesses = GuessesOf(*sequence, *budget);
  if (!Grow(sequence, sequence->num_computed + count + share.guesses)) return false;
  budget->tokens -= count + share.guesses;
  budget->guesses -= share.guesses;
  if (!IsDecode(*sequence)) budget->prompt_tokens -= count;
  budget->logits_rows -= share.logits_rows();
  step_.push_back(share);
  return true;
}

// The key of one of the sequence's full blocks. Each covers the key before it (the first: who
// asks), the block's tokens, and what part of which picture stands on them.
const PrefixKey& Scheduler::KeyOf(Sequence* s, int block) const {
  while (static_cast<int>(s->prefix_keys.size()) <= block) {
    const int first = static_cast<int>(s->prefix_keys.size()) * config_.block_size;
    const int end = first + config_.block_size;
    const PrefixKey before = s->prefix_keys.empty()
                                 ? Sha256::Digest(s->tenant.data(), s->tenant.size())
                                 : s->prefix_keys.back();
    std::string content(before.begin(), before.end());
    content.append(reinterpret_cast<const char*>(&s->tokens[static_cast<size_t>(first)]),
                   sizeof(int32_t) * static_cast<size_t>(config_.block_size));
    for (const SequencePicture& picture : s->pictures) {
      if (picture.position >= end || picture.position + picture.count <= first) continue;
      content += std::to_string(picture.position - first) + " " + picture.key + "\n";
    }
    s->prefix_keys.push_back(Sha256::Digest(content.data(), content.size()));
  }
  return s->prefix_keys[static_cast<size_t>(block)];
}

// Filled blocks that the sequence's tokens begin with. The last token is always computed: its
// logits are needed, as are those of the prompt where they are asked for.
std::vector<int32_t> Scheduler::BlocksToShare(Sequence* s) const {
  std::vector<int32_t> found;
  int most = (s->length() - 1) / config_.block_size;
  if (s->leader != nullptr) {
    most = (s->prompt_len - 1) / config_.block_size;
    found.assign(s->leader->block_table.begin(), s->leader->block_table.begin() + most);
  } else if (config_.prefix_caching) {
    if (s->wants_prompt_logits && s->prompt_logits_done < s->prompt_len) {
      most = std::min(most, s->prompt_logits_done / config_.block_size);
    }
    for (int i = 0; i < most; ++i) {
      const auto block = blocks_.Find(KeyOf(s, i));
      if (!block) break;
      found.push_back(*block);
    }
  }
  return found;
}

// Moves the front of the queue to the running ones if there is room for all that it has to compute,
// so that admitting it preempts nobody.
bool Scheduler::Admit(Sequence* sequence) {
  if (num_running() >= config_.max_num_seqs) return false;
  const Sequence* leader = sequence->leader;
  if (leader != nullptr && leader->num_computed < leader->prompt_len) return false;
  const std::vector<int32_t> shared = BlocksToShare(sequence);
  const auto idle = std::count_if(shared.begin(), shared.end(),
                                  [&](int32_t block) { return blocks_.references(block) == 0; });
  const int needed = BlocksFor(sequence->length(), config_.block_size) -
                     static_cast<int>(shared.size()) + static_cast<int>(idle);
  if (blocks_.num_free() < needed) return false;
  for (int32_t block : shared) blocks_.Share(block);
  sequence->block_table = shared;
  sequence->num_computed = static_cast<int>(shared.size()) * config_.block_size;
  if (sequence->preemptions == 0) {
    sequence->num_cached = std::min(sequence->num_computed, sequence->prompt_len);
  }
  sequence->leader = nullptr;
  sequence->state = Sequence::State::kRunning;
  auto place = std::find_if(running_.begin(), running_.end(),
                            [&](const Sequence* other) { return other->id > sequence->id; });
  running_.insert(place, sequence);
  return true;
}

const std::vector<Sequence*>& Scheduler::Decodes() {
  decodes_.clear();
  std::copy_if(running_.begin(), running_.end(), std::back_inserter(decodes_),
               [&](const Sequence* sequence) { return IsDecode(*sequence); });
  return decodes_;
}

const std::vector<ScheduledSequence>& Scheduler::Schedule(int prompt_tokens) {
  Budget budget{config_.max_num_batched_tokens, prompt_tokens, config_.max_logits_rows,
                RoomForGuesses()};
  step_.clear();
  // Decodes, then prompts under way, each oldest first. Growing may preempt younger sequences,
  // which this pass has not come to yet.
  for (const bool decodes : {true, false}) {
    candidates_ = running_;
    for (Sequence* sequence : candidates_) {
      if (sequence->state != Sequence::State::kRunning || IsDecode(*sequence) != decodes) continue;
      if (budget.tokens == 0) break;
      if (!ScheduleOne(sequence, &budget) && decodes && budget.logits_rows > 0) {
        Preempt(sequence);
      }
    }
    // A prompt may have taken the blocks of a younger decode, which then leaves the step.
    std::erase_if(step_, [](const ScheduledSequence& share) {
      return share.sequence->state != Sequence::State::kRunning;
    });
  }
  while (!waiting_.empty() && budget.tokens > 0 && budget.prompt_tokens > 0 &&
         budget.logits_rows > 0) {
    Sequence* next = waiting_.front();
    if (!Admit(next)) break;
    waiting_.pop_front();
    if (!ScheduleOne(next, &budget)) break;
  }
  return step_;
}

void Scheduler::Advance(const ScheduledSequence& share) {
  Sequence& s = *share.sequence;
  const int filled = s.num_computed / config_.block_size;
  s.num_computed += share.count;
  for (int i = filled; config_.prefix_caching && i < s.num_computed / config_.block_size; ++i) {
    blocks_.Know(s.block_table[static_cast<size_t>(i)], KeyOf(&s, i));
  }
  s.prompt_logits_done = std::max(s.prompt_logits_done, std::min(s.num_computed, s.prompt_len));
}

}  // namespace edgegate
