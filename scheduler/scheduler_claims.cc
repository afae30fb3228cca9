// How a waiting client gets room that others hold: preemption for fairness.
//
// With K clients, each one's share is 1/K of max_num_seqs, one sequence at least, and 1/K of the KV
// blocks. A client below its share may claim: running sequences of clients above theirs are
// preempted, the youngest of the client that holds most first, as many as its first waiting
// sequence needs, or none. No claim takes a client below its share, nor the claimer above its own,
// so that two clients cannot take the same room from each other by turns.
//
// A client that runs nothing, and does not get in that way (there are more clients than sequences
// that may run, or its request needs more than its share of the blocks), takes turns: it may
// preempt sequences of clients that were served more.
//
// Each preemption is paid for by progress: a sequence can only be preempted when it has computed
// some tokens for the first time since it was admitted, or makes no use of its place: it has
// computed nothing yet, or is paused. So the number of preemptions for fairness is bounded by the
// number of tokens and of parkings, and all sequences get on.
#include <algorithm>

#include "scheduler/scheduler.h"

namespace edgegate {
namespace {

// First-time tokens that a sequence computes before it may be preempted: for a client that runs
// nothing, so soon that a new client starts at once; else for so long that computing them again
// costs little.
constexpr int kProgressForNew = 8;
constexpr int kProgress = 64;

}  // namespace

// Sets each running client's holdings.
void Scheduler::CountHoldings() {
  for (const Sequence* s : running_) s->account->claim_running = s->account->claim_blocks = 0;
  for (const Sequence* s : running_) {
    ++s->account->claim_running;
    s->account->claim_blocks += static_cast<int>(s->block_table.size());
  }
}

// Blocks that are free when the sequence is preempted.
int Scheduler::OwnBlocks(const Sequence& sequence) const {
  return static_cast<int>(
      std::count_if(sequence.block_table.begin(), sequence.block_table.end(),
                    [&](int32_t block) { return blocks_.references(block) == 1; }));
}

bool Scheduler::MayTake(const Sequence& head, const Sequence& victim, bool by_turn) const {
  const ClientAccount &own = *head.account, &other = *victim.account;
  if (&own == &other) return false;
  if (std::find(victims_.begin(), victims_.end(), &victim) != victims_.end()) return false;
  const bool idle = victim.paused || victim.computed == 0;
  if (by_turn) return other.served > own.served && (idle || victim.progress >= kProgress);
  const bool new_client = own.running == 0 && other.claim_running > 1;
  return idle || victim.progress >= (new_client ? kProgressForNew : kProgress);
}

// The next sequence to preempt; null: there is none.
Sequence* Scheduler::BestVictim(const Sequence& head, const Shortage& shortage,
                                bool by_turn) const {
  const int fair_running = queue_.FairRunning();
  const int fair_blocks = config_.num_blocks / queue_.num_clients();
  Sequence* best = nullptr;
  uint64_t most = 0;
  for (auto place = running_.rbegin(); place != running_.rend(); ++place) {
    const ClientAccount& other = *(*place)->account;
    uint64_t excess;
    if (by_turn) {
      excess = other.served;
    } else if (shortage.sequences > 0) {
      excess = static_cast<uint64_t>(std::max(0, other.claim_running - fair_running));
    } else {
      excess = static_cast<uint64_t>(std::max(0, other.claim_blocks - fair_blocks));
    }
    if (excess <= most || !MayTake(head, **place, by_turn)) continue;
    best = *place;
    most = excess;
  }
  return best;
}

// Fills victims_ until they cover the shortage. False when they cannot.
bool Scheduler::ChooseVictims(const Sequence& head, Shortage shortage, bool by_turn) {
  CountHoldings();
  victims_.clear();
  while (shortage.any()) {
    Sequence* victim = BestVictim(head, shortage, by_turn);
    if (victim == nullptr) return false;
    victims_.push_back(victim);
    --victim->account->claim_running;
    victim->account->claim_blocks -= static_cast<int>(victim->block_table.size());
    --shortage.sequences;
    shortage.blocks -= OwnBlocks(*victim);
  }
  return true;
}

// Makes room for a client's first waiting sequence, if it has a right to it. Else preempts nobody.
bool Scheduler::Claim(Sequence* head) {
  const ClientAccount& own = *head->account;
  if (queue_.num_clients() < 2 || own.running >= queue_.FairRunning()) return false;
  const int needed = BlocksNeeded(*head, BlocksToShare(head));
  const Shortage shortage{num_running() - config_.max_num_seqs + 1, needed - blocks_.num_free()};
  const int fair_blocks = config_.num_blocks / queue_.num_clients();
  int held = 0;
  for (const Sequence* s : running_) {
    if (s->account == &own) held += static_cast<int>(s->block_table.size());
  }
  const bool within_share = shortage.blocks <= 0 || held + needed <= fair_blocks;
  if (!(within_share && ChooseVictims(*head, shortage, false)) &&
      !(own.running == 0 && ChooseVictims(*head, shortage, true))) {
    return false;
  }
  for (Sequence* victim : victims_) Preempt(victim);
  return true;
}

}  // namespace edgegate
