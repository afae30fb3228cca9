// In which order waiting sequences are admitted: fairly over clients, and first come, first served
// within each.
//
// The Virtual Token Counter (Sheng et al. 2024, "Fairness in Serving Large Language Models"): each
// client has a counter of the tokens computed for it, a prompt's weighing 1 and a generated one 2.
// The client with the least goes first. A client that comes anew starts at the least counter of
// those that are there, so that it is owed nothing for the time that it was away. Before the
// counters, the number of running sequences decides: a client that runs fewer than its share of
// max_num_seqs goes before those that run their share or more.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "scheduler/sequence.h"

namespace edgegate {

// A client that has sequences waiting or running.
struct ClientAccount {
  std::string name;
  uint64_t served = 0;            // the counter: weighted tokens
  std::deque<Sequence*> waiting;  // by id
  int running = 0;                // sequences
  int passed_over = 0;  // admissions of others since its first waiting sequence found no room

  // Scratch of the scheduler's claims.
  int claim_running = 0;
  int claim_blocks = 0;
};

// Pure and not thread-safe. Sequences are the caller's. A sequence is added once, then admitted and
// put back any number of times, then removed. Memory: one account for each client that has a
// sequence here.
class WaitingQueue {
 public:
  static constexpr int kPromptWeight = 1, kGeneratedWeight = 2;

  explicit WaitingQueue(int max_num_seqs) : max_num_seqs_(max_num_seqs) {}

  // A new sequence waits; its account is opened where its client has none.
  void Add(Sequence* sequence);
  // The first waiting sequence of its client runs from now on.
  void Admit(Sequence* sequence);
  // A running sequence waits again, in order of arrival.
  void PutBack(Sequence* sequence);
  // The sequence has ended, wherever it is. No-op for one that was never added.
  void Remove(Sequence* sequence);

  // Counts the sequence's tokens up to `computed` for its client, those that were not yet.
  void Charge(Sequence* sequence, int computed);

  // The first waiting sequence of each client, in the order in which they should be admitted. Valid
  // until the next call.
  const std::vector<Sequence*>& Heads();

  // Sequences that each client may run when all want to run more, at least 1.
  int FairRunning() const;

  int num_clients() const { return static_cast<int>(accounts_.size()); }
  int size() const { return size_; }  // sequences that wait
  bool empty() const { return size_ == 0; }

 private:
  void Insert(Sequence* sequence);

  const int max_num_seqs_;
  std::map<std::string, ClientAccount> accounts_;
  int size_ = 0;
  std::vector<Sequence*> heads_;  // of the latest call; a member, so that a step allocates nothing
};

}  // namespace edgegate
