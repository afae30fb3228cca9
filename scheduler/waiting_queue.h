// The waiting sequences of a model, by client, under a queue policy.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "scheduler/queue_policy.h"
#include "scheduler/sequence.h"

namespace edgegate {

// Pure and not thread-safe. Sequences are the caller's. A sequence is added once, then admitted and
// put back any number of times, then removed. Memory: one account for each client that has a
// sequence here.
class WaitingQueue {
 public:
  // `policy` must not be null.
  explicit WaitingQueue(std::unique_ptr<QueuePolicy> policy) : policy_(std::move(policy)) {}

  // A new sequence waits. Opens an account if its client has none.
  void Add(Sequence* sequence);
  // The first waiting sequence of its client runs from now on.
  void Admit(Sequence* sequence);
  // A running sequence waits again, in order of arrival.
  void PutBack(Sequence* sequence);
  // The sequence has ended, wherever it is. No effect if it was never added.
  void Remove(Sequence* sequence);

  // Counts the sequence's tokens up to `computed` for its client. Each token is counted once.
  void Charge(Sequence* sequence, int computed);

  QueuePolicy& policy() const { return *policy_; }
  const std::map<std::string, ClientAccount>& clients() const { return accounts_; }
  int num_clients() const { return static_cast<int>(accounts_.size()); }
  int size() const { return size_; }  // waiting sequences
  bool empty() const { return size_ == 0; }

 private:
  void Insert(Sequence* sequence);

  const std::unique_ptr<QueuePolicy> policy_;
  std::map<std::string, ClientAccount> accounts_;
  int size_ = 0;
};

}  // namespace edgegate
