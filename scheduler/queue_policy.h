// Decides which waiting sequences are admitted first, and which running ones give up their room.
//
// A policy is one file in scheduler/policy/: a class that overrides what differs from first come,
// first served, and a QueuePolicyRegistration under the name that `engine.queue_policy` selects.
// See docs/extending.md.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "scheduler/block_manager.h"
#include "scheduler/sequence.h"

namespace edgegate {

// A client that has sequences waiting or running.
struct ClientAccount {
  std::string name;
  std::deque<Sequence*> waiting;  // by id
  int running = 0;                // sequences
  // Admissions of others since its first waiting sequence found no room, while it ran nothing.
  int passed_over = 0;

  // Owned by the policy.
  uint64_t served = 0;     // tokens computed for the client, weighted by the policy
  int held_sequences = 0;  // scratch
  int held_blocks = 0;     // scratch
};

// The state of the scheduler that a policy sees. Valid during the call.
struct QueueView {
  const std::map<std::string, ClientAccount>& clients;
  const std::vector<Sequence*>& running;  // by id
  const BlockManager& blocks;
  int max_num_seqs;

  int num_clients() const { return static_cast<int>(clients.size()); }
};

// Running places and KV blocks that a waiting sequence lacks for its admission. Zero or less: none.
struct Shortage {
  int sequences = 0;
  int blocks = 0;

  bool any() const { return sequences > 0 || blocks > 0; }
};

// Pure: no threads, no clock, no I/O. Called by the scheduler's thread only. The defaults are first
// come, first served, without preemption in favour of waiting sequences. Whatever a policy decides,
// the bytes of an answer stay the same.
class QueuePolicy {
 public:
  virtual ~QueuePolicy() = default;

  // A client without sequences gets its first one. `clients` contains its account.
  virtual void OnNewClient(const std::map<std::string, ClientAccount>& clients,
                           ClientAccount* account);
  // Prompt tokens and generated tokens of the client were computed for the first time.
  virtual void OnComputed(ClientAccount* account, int prompt_tokens, int generated_tokens);

  // Replaces `order` by the sequences that the scheduler tries to admit, best first: at most the
  // first waiting sequence of each client, because a client's own sequences keep their order.
  virtual void OrderWaiting(const QueueView& view, std::vector<Sequence*>* order);

  // Sorts the running sequences, given by id, in the order in which their tokens are scheduled.
  virtual void OrderRunning(const QueueView& view, std::vector<Sequence*>* running);

  // True if `waiting` is admitted before `running` computes the next chunk of its prompt.
  virtual bool Overtakes(const Sequence& waiting, const Sequence& running) const;

  // `blocked` found no room. True if sequences behind it in the order may be admitted now.
  virtual bool MayBePassed(const Sequence& blocked) const;

  // True if `waiting` may preempt running sequences of others. Asked before ChooseVictims().
  virtual bool MayPreempt(const QueueView& view, const Sequence& waiting) const;

  // Replaces `victims` by running sequences that `waiting` preempts. They must cover the shortage;
  // if it cannot be covered, `victims` is left empty.
  virtual void ChooseVictims(const QueueView& view, const Sequence& waiting, Shortage shortage,
                             std::vector<Sequence*>* victims);

  // Returns the running sequence that gives its blocks to `growing`, a running sequence that needs
  // a block while none is free. Null: `growing` itself is preempted. Must let the oldest running
  // sequence of at least one client make progress.
  virtual Sequence* VictimOfGrowth(const QueueView& view, const Sequence& growing);
};

// Makes a policy by its registered name; null if there is none of that name. Thread-safe.
std::unique_ptr<QueuePolicy> MakeQueuePolicy(std::string_view name);

// Names of all policies, ascending. Thread-safe.
std::vector<std::string> QueuePolicyNames();

// kInvalidArgument, naming the setting engine.queue_policy, if there is no policy of that name.
Status CheckQueuePolicy(std::string_view name);

// Registers a policy before main() runs. `make` returns a new policy.
class QueuePolicyRegistration {
 public:
  using Make = std::unique_ptr<QueuePolicy> (*)();
  QueuePolicyRegistration(const char* name, Make make);
};

}  // namespace edgegate
