// Admission, the prefix cache and preemption.
#include <algorithm>

#include "engine/base/sha256.h"
#include "scheduler/scheduler.h"

namespace edgegate {

// Blocks are freed from the end, so that the ends of cached prefixes are evicted before their
// beginnings.
void Scheduler::FreeBlocks(Sequence* sequence) {
  for (auto block = sequence->block_table.rbegin(); block != sequence->block_table.rend();
       ++block) {
    blocks_.Release(*block);
  }
  sequence->block_table.clear();
  sequence->num_computed = 0;
}

// Preemption by recompute: the blocks are freed, and the sequence waits, in order of arrival, to
// compute its tokens again. Its share of the step that is being chosen is taken back.
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

// The key of the first `count` tokens of one of the sequence's blocks. It covers the key of the
// block before it (for the first: the tenant), the tokens, and the parts of media items among them.
PrefixKey Scheduler::KeyOfTokens(const Sequence& s, int block, int count) const {
  const int first = block * config_.block_size, end = first + count;
  const PrefixKey before = block == 0 ? Sha256::Digest(s.tenant.data(), s.tenant.size())
                                      : s.prefix_keys[static_cast<size_t>(block) - 1];
  std::string content(before.begin(), before.end());
  if (count < config_.block_size) {
    const int32_t part = -count;  // no token: the key differs from that of each full block
    content.append(reinterpret_cast<const char*>(&part), sizeof part);
  }
  content.append(reinterpret_cast<const char*>(&s.tokens[static_cast<size_t>(first)]),
                 sizeof(int32_t) * static_cast<size_t>(count));
  for (const SequenceMedia& item : s.media) {
    if (item.position >= end || item.position + item.count <= first) continue;
    content += std::to_string(item.position - first) + " " + item.key + "\n";
  }
  return Sha256::Digest(content.data(), content.size());
}

// The key of one of the sequence's full blocks.
const PrefixKey& Scheduler::KeyOf(Sequence* s, int block) const {
  while (static_cast<int>(s->prefix_keys.size()) <= block) {
    const auto next = static_cast<int>(s->prefix_keys.size());
    s->prefix_keys.push_back(KeyOfTokens(*s, next, config_.block_size));
  }
  return s->prefix_keys[static_cast<size_t>(block)];
}

// Full blocks that hold the beginning of the sequence already. The last token is always computed,
// because its logits are needed; so are prompt tokens whose logits are wanted.
std::vector<int32_t> Scheduler::BlocksToShare(Sequence* s) const {
  std::vector<int32_t> found;
  int limit = (s->length() - 1) / config_.block_size;
  if (s->leader != nullptr) {
    limit = (s->prompt_len - 1) / config_.block_size;
    found.assign(s->leader->block_table.begin(), s->leader->block_table.begin() + limit);
  } else if (config_.prefix_caching) {
    if (s->wants_prompt_logits && s->prompt_logits_done < s->prompt_len) {
      limit = std::min(limit, s->prompt_logits_done / config_.block_size);
    }
    for (int i = 0; i < limit; ++i) {
      const auto block = blocks_.Find(KeyOf(s, i));
      if (!block) break;
      found.push_back(*block);
    }
  }
  return found;
}

// Number of tokens of the common prefix in the block in which it ends. 0: it ends with a block, or
// nothing is copied.
int Scheduler::CommonTail(const Sequence& s) const {
  return config_.prefix_caching ? s.common_prefix % config_.block_size : 0;
}

PrefixKey Scheduler::KeyOfCommonTail(Sequence* s) const {
  const int block = s->common_prefix / config_.block_size;
  if (block > 0) KeyOf(s, block - 1);
  return KeyOfTokens(*s, block, CommonTail(*s));
}

// Registers the block in which the common prefix ends, if the step after `before` tokens computed
// that end. The block keeps this key when it is full.
void Scheduler::RegisterCommonTail(Sequence* s, int before) {
  if (CommonTail(*s) == 0 || before >= s->common_prefix || s->num_computed < s->common_prefix) {
    return;
  }
  blocks_.Register(s->block_table[static_cast<size_t>(s->common_prefix / config_.block_size)],
                   KeyOfCommonTail(s));
}

// Gives a sequence that begins with shared blocks a copy of the block in which the common prefix
// ends, if that block is cached and all tokens of the prefix may be skipped.
void Scheduler::CopyCommonTail(Sequence* s) {
  const int tail = CommonTail(*s);
  if (tail == 0 || s->num_computed != s->common_prefix - tail || s->common_prefix >= s->length() ||
      (s->wants_prompt_logits && s->prompt_logits_done < s->common_prefix)) {
    return;
  }
  const auto from = blocks_.Find(KeyOfCommonTail(s));
  if (!from) return;
  blocks_.Share(*from);  // so that the new block is another one
  if (blocks_.num_free() > 0) {
    s->block_table.push_back(blocks_.Allocate());
    copies_.push_back({*from, s->block_table.back()});
    s->num_computed = s->common_prefix;
  }
  blocks_.Release(*from);
}

// Number of free blocks that the sequence takes if it is admitted with the `shared` ones.
int Scheduler::BlocksNeeded(const Sequence& sequence, const std::vector<int32_t>& shared) const {
  const auto unreferenced = std::count_if(
      shared.begin(), shared.end(), [&](int32_t block) { return blocks_.references(block) == 0; });
  return BlocksFor(sequence.length(), config_.block_size) - static_cast<int>(shared.size()) +
         static_cast<int>(unreferenced);
}

// Moves the first waiting sequence of a client to the running ones, if there is room for all that
// it has to compute: its admission preempts nobody.
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
  CopyCommonTail(sequence);
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

// Preempts running sequences in favour of a waiting one, if the policy allows it. False if nobody
// was preempted.
bool Scheduler::MakeRoom(Sequence* waiting) {
  if (!queue_.policy().MayPreempt(View(), *waiting)) return false;
  const int needed = BlocksNeeded(*waiting, BlocksToShare(waiting));
  const Shortage shortage{num_running() - config_.max_num_seqs + 1, needed - blocks_.num_free()};
  queue_.policy().ChooseVictims(View(), *waiting, shortage, &victims_);
  for (Sequence* victim : victims_) Preempt(victim);
  return !victims_.empty();
}

// Admits the first waiting sequence, in the policy's order, that finds room or makes it. With a
// `prompt`, only sequences that overtake it are considered. Null if none is admitted.
Sequence* Scheduler::AdmitNext(const Sequence* prompt) {
  passed_.clear();
  queue_.policy().OrderWaiting(View(), &order_);
  for (Sequence* waiting : order_) {
    if (prompt != nullptr && !queue_.policy().Overtakes(*waiting, *prompt)) continue;
    Admission result = Admit(waiting);
    if (result == Admission::kNoRoom && MakeRoom(waiting)) {
      result = Admit(waiting);
      if (result != Admission::kAdmitted) return nullptr;  // the order may have changed
    }
    if (result == Admission::kAdmitted) {
      for (const Sequence* passed : passed_) {
        if (passed->account->running == 0) ++passed->account->passed_over;
      }
      return waiting;
    }
    if (result == Admission::kAwaitsLeader) continue;
    if (!queue_.policy().MayBePassed(*waiting)) return nullptr;
    passed_.push_back(waiting);
  }
  return nullptr;
}

void Scheduler::AdmitWaiting(const Sequence* prompt, Budget* budget) {
  while (!queue_.empty() && budget->tokens > 0 && budget->prompt_tokens > 0 &&
         budget->logits_rows > 0) {
    Sequence* next = AdmitNext(prompt);
    if (next == nullptr || !ScheduleOne(next, budget)) break;
  }
}

}  // namespace edgegate
