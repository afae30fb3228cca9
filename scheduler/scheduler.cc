#include "scheduler/scheduler.h"

#include <algorithm>
#include <cassert>

#include "engine/base/sha256.h"

namespace edgegate {
namespace {

// Admissions of others that a client without any running sequence lets pass while its first one
// waits for room. After that it is next, whoever else could be admitted.
constexpr int kMostPassedOver = 32;

}  // namespace

Scheduler::Scheduler(const SchedulerConfig& config)
    : config_(config), blocks_(config.num_blocks), queue_(config.max_num_seqs) {}

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

void Scheduler::FreeBlocks(Sequence* sequence) {
  // From the end: where room is needed, the ends of prefixes go before their beginnings.
  for (auto block = sequence->block_table.rbegin(); block != sequence->block_table.rend();
       ++block) {
    blocks_.Release(*block);
  }
  sequence->block_table.clear();
  sequence->num_computed = 0;
}

// Preemption by recompute: the blocks go back, and the sequence waits, in order of arrival, to
// compute its tokens again. A share of the step that is being chosen is taken back.
void Scheduler::Preempt(Sequence* sequence) {
  std::erase_if(step_, [&](const ScheduledSequence& share) { return share.sequence == sequence; });
  std::erase(running_, sequence);
  FreeBlocks(sequence);
  sequence->state = Sequence::State::kWaiting;
  sequence->paused = false;
  sequence->last_step = 0;
  ++sequence->preemptions;
  ++num_preemptions_;
  queue_.PutBack(sequence);
}

// Whose blocks a growing sequence takes where none is free: the youngest sequence's of the client
// that holds most, unless that client runs a single one. Then, as with a single client, the
// youngest of all that is younger than the growing one. The oldest sequence so always gets on. Null
// where there is none.
Sequence* Scheduler::VictimOfGrowth(const Sequence& growing) {
  if (queue_.num_clients() > 1) {
    CountHoldings();
    const ClientAccount* most = growing.account;
    for (const Sequence* s : running_) {
      if (s->account->claim_blocks > most->claim_blocks) most = s->account;
    }
    if (most->running > 1) {
      const auto youngest = std::find_if(running_.rbegin(), running_.rend(),
                                         [&](const Sequence* s) { return s->account == most; });
      return *youngest == &growing ? nullptr : *youngest;
    }
  }
  Sequence* youngest = running_.back();
  return youngest->id > growing.id ? youngest : nullptr;
}

// Gives the sequence blocks for `length` tokens, taking them from other running sequences where
// none is free. False when it would have to take its own.
bool Scheduler::Grow(Sequence* sequence, int length) {
  const int needed =
      BlocksFor(length, config_.block_size) - static_cast<int>(sequence->block_table.size());
  while (blocks_.num_free() < needed) {
    Sequence* victim = VictimOfGrowth(*sequence);
    if (victim == nullptr) return false;
    Preempt(victim);
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
int Scheduler::DraftTokensOf(const Sequence& s, const Budget& budget) const {
  const int length = s.num_computed + 1;
  const int spare = std::max(0, blocks_.num_free() - num_running());
  const int slots = (BlocksFor(length, config_.block_size) + spare) * config_.block_size;
  return std::max(
      0, std::min({static_cast<int>(s.draft_tokens.size()), budget.draft_tokens, slots - length}));
}

// Beside one token, and its logits row, of each decode and of a prompt.
int Scheduler::RoomForDrafts() const {
  const auto decodes =
      static_cast<int>(std::count_if(running_.begin(), running_.end(), [&](const Sequence* s) {
        return !s->paused && IsDecode(*s);
      }));
  const bool prompts = decodes < num_runnable() || !queue_.empty();
  const int most = std::min(config_.max_num_batched_tokens, config_.max_logits_rows);
  return std::max(0, most - decodes - (prompts ? 1 : 0));
}

bool Scheduler::ScheduleOne(Sequence* sequence, Budget* budget) {
  ScheduledSequence share{sequence};
  const int count = ChunkOf(*sequence, *budget, &share);
  if (count == 0) return false;
  if (IsDecode(*sequence)) {
    // A waiting sequence whose tokens are all cached decodes at once: no room was kept for it.
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
    for (const SequenceImage& picture : s->images) {
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

// Blocks that the sequence takes out of the free ones when it is admitted with `shared` ones.
int Scheduler::BlocksNeeded(const Sequence& sequence, const std::vector<int32_t>& shared) const {
  const auto idle = std::count_if(shared.begin(), shared.end(),
                                  [&](int32_t block) { return blocks_.references(block) == 0; });
  return BlocksFor(sequence.length(), config_.block_size) - static_cast<int>(shared.size()) +
         static_cast<int>(idle);
}

// Moves the first waiting sequence of a client to the running ones if there is room for all that it
// has to compute, so that admitting it preempts nobody.
Scheduler::Admission Scheduler::Admit(Sequence* sequence) {
  const Sequence* leader = sequence->leader;
  if (leader != nullptr && leader->num_computed < leader->prompt_len) {
    return Admission::kAwaitsLeader;
  }
  if (num_running() >= config_.max_num_seqs) return Admission::kNoRoom;
  const std::vector<int32_t> shared = BlocksToShare(sequence);
  if (blocks_.num_free() < BlocksNeeded(*sequence, shared)) return Admission::kNoRoom;
  for (int32_t block : shared) blocks_.Share(block);
  sequence->block_table = shared;
  sequence->num_computed = static_cast<int>(shared.size()) * config_.block_size;
  sequence->charged = std::max(sequence->charged, sequence->num_computed);
  sequence->computed = sequence->progress = 0;
  if (sequence->preemptions == 0) {
    sequence->num_cached = std::min(sequence->num_computed, sequence->prompt_len);
  }
  sequence->leader = nullptr;
  sequence->state = Sequence::State::kRunning;
  queue_.Admit(sequence);
  auto place = std::find_if(running_.begin(), running_.end(),
                            [&](const Sequence* other) { return other->id > sequence->id; });
  running_.insert(place, sequence);
  return Admission::kAdmitted;
}

// Admits the first waiting sequence, in the queue's order, that finds room or may claim it, of the
// clients whose counter is below `served_below`. Null where there is none.
Sequence* Scheduler::AdmitNext(uint64_t served_below) {
  passed_.clear();
  for (Sequence* head : queue_.Heads()) {
    if (head->account->served >= served_below) continue;
    Admission result = Admit(head);
    if (result == Admission::kNoRoom && Claim(head)) {
      result = Admit(head);
      if (result != Admission::kAdmitted) return nullptr;  // the heads are others now
    }
    if (result == Admission::kAdmitted) {
      for (ClientAccount* account : passed_) ++account->passed_over;
      return head;
    }
    ClientAccount* account = head->account;
    if (result == Admission::kAwaitsLeader || account->running > 0) continue;
    if (account->passed_over >= kMostPassedOver) return nullptr;
    passed_.push_back(account);
  }
  return nullptr;
}

const std::vector<Sequence*>& Scheduler::Decodes() {
  decodes_.clear();
  std::copy_if(running_.begin(), running_.end(), std::back_inserter(decodes_),
               [&](const Sequence* s) { return !s->paused && IsDecode(*s); });
  return decodes_;
}

// Candidates of a step: of the client that was served least first, each client's oldest first.
void Scheduler::SortCandidates() {
  candidates_ = running_;
  if (queue_.num_clients() < 2) return;
  std::sort(candidates_.begin(), candidates_.end(), [](const Sequence* a, const Sequence* b) {
    return std::pair(a->account->served, a->id) < std::pair(b->account->served, b->id);
  });
}

// Growing may preempt others, also such as are in the step.
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

void Scheduler::AdmitWaiting(uint64_t served_below, Budget* budget) {
  while (!queue_.empty() && budget->tokens > 0 && budget->prompt_tokens > 0 &&
         budget->logits_rows > 0) {
    Sequence* next = AdmitNext(served_below);
    if (next == nullptr || !ScheduleOne(next, budget)) break;
  }
}

// The counter of the client whose prompt under way is computed next.
uint64_t Scheduler::LeastServedPrompt() const {
  for (const Sequence* s : candidates_) {
    if (s->state == Sequence::State::kRunning && !s->paused && !IsDecode(*s)) {
      return s->account->served;
    }
  }
  return 0;
}

// Decodes, then prompts under way, then waiting ones; but waiting ones of clients that were served
// less go before the prompts under way.
void Scheduler::ChooseStep(int prompt_tokens) {
  Budget budget{config_.max_num_batched_tokens, prompt_tokens, config_.max_logits_rows,
                RoomForDrafts()};
  ++num_steps_;
  step_.clear();
  SortCandidates();
  ScheduleRunning(true, &budget);
  if (queue_.num_clients() > 1) AdmitWaiting(LeastServedPrompt(), &budget);
  ScheduleRunning(false, &budget);
  AdmitWaiting(std::numeric_limits<uint64_t>::max(), &budget);
}

const std::vector<ScheduledSequence>& Scheduler::Schedule(int prompt_tokens) {
  // A sequence that grows may preempt all others of the step, and still not find enough. Each such
  // try leaves fewer that run.
  uint64_t preemptions;
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
  for (int i = filled; config_.prefix_caching && i < s.num_computed / config_.block_size; ++i) {
    blocks_.Register(s.block_table[static_cast<size_t>(i)], KeyOf(&s, i));
  }
  s.prompt_logits_done = std::max(s.prompt_logits_done, std::min(s.num_computed, s.prompt_len));
}

}  // namespace edgegate
