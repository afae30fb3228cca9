// What runs in the next step: continuous batching (Yu et al. 2022, Orca) over paged KV blocks (Kwon
// et al. 2023, vLLM), decodes first and prompts in chunks (Agrawal et al. 2024, Sarathi-Serve).
// Pure: no threads, no clock, no I/O; it knows token counts, never tensors.
//
// Capacity is shared among clients. WaitingQueue says who is admitted next, and its counters also
// say whose prompt is computed first. Where the next one finds no room, the scheduler preempts
// sequences of clients that hold more than their share (scheduler_claims.cc). Sequences that grow
// take blocks from the client that holds most. With a single client all is first come, first
// served.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "engine/model/model_runner.h"
#include "scheduler/block_manager.h"
#include "scheduler/sequence.h"
#include "scheduler/waiting_queue.h"

namespace edgegate {

// A sequence's share of the step: tokens [num_computed, num_computed + count).
struct ScheduledSequence {
  Sequence* sequence = nullptr;
  int count = 0;
  int first_logits = 0;      // index within the share from which on each token gives a logits row;
                             // == count: none
  bool samples = false;      // the last token's row is sampled from
  int num_draft_tokens = 0;  // draft tokens computed after them, each with a logits row

  int logits_rows() const { return count - first_logits + num_draft_tokens; }
};

struct SchedulerConfig {
  int max_num_seqs = 64;
  int max_num_batched_tokens = 512;
  int max_logits_rows = 64;
  int block_size = 16;
  int num_blocks = 0;
  bool prefix_caching = true;
};

// Not thread-safe. Sequences are the caller's and must outlive their stay here.
class Scheduler {
 public:
  explicit Scheduler(const SchedulerConfig& config);

  // Whether a sequence of `tokens` tokens in all could ever run alone.
  bool Fits(int tokens) const;

  // Queues a sequence. Precondition: Fits(prompt_len + max_tokens), state kWaiting.
  void Add(Sequence* sequence);

  // Takes a sequence out wherever it is, and frees its blocks.
  void Remove(Sequence* sequence);

  // Chooses the next step, with at most `prompt_tokens` (>= 1) tokens of prompts in it, and
  // allocates its blocks. Guesses take what is left when all decodes, and a prompt's token where
  // there is one, have their room. The caller runs it, then calls Advance for each share (and
  // appends sampled tokens), or, if it failed, removes the sequences. Valid until the next call.
  const std::vector<ScheduledSequence>& Schedule(
      int prompt_tokens = std::numeric_limits<int>::max());

  // The running sequences that are past their prompts and not paused. Valid until the next call.
  const std::vector<Sequence*>& Decodes();

  // The share's tokens were computed; or, as {sequence, 1}, one of its guesses too, which turned
  // out right and is now one of the sequence's tokens.
  void Advance(const ScheduledSequence& share);

  bool HasWork() const { return !queue_.empty() || !running_.empty(); }
  // The running sequences, by id.
  const std::vector<Sequence*>& running() const { return running_; }
  int num_running() const { return static_cast<int>(running_.size()); }
  int num_runnable() const;  // running and not paused
  int num_waiting() const { return queue_.size(); }
  int num_clients() const { return queue_.num_clients(); }
  uint64_t num_preemptions() const { return num_preemptions_; }
  const BlockManager& blocks() const { return blocks_; }

 private:
  struct Budget {
    int tokens;
    int prompt_tokens;  // of them
    int logits_rows;
    int draft_tokens;
  };
  // Why a waiting sequence was not admitted, if it was not.
  enum class Admission { kAdmitted, kNoRoom, kAwaitsLeader };
  // What a waiting sequence lacks.
  struct Shortage {
    int sequences = 0;
    int blocks = 0;

    bool any() const { return sequences > 0 || blocks > 0; }
  };

  bool IsDecode(const Sequence& s) const { return s.num_computed == s.length() - 1; }
  bool Grow(Sequence* sequence, int length);
  Sequence* VictimOfGrowth(const Sequence& sequence);
  void Preempt(Sequence* sequence);
  void FreeBlocks(Sequence* sequence);
  Admission Admit(Sequence* sequence);
  Sequence* AdmitNext(uint64_t served_below);
  void AdmitWaiting(uint64_t served_below, Budget* budget);
  void ChooseStep(int prompt_tokens);
  void ScheduleRunning(bool decodes, Budget* budget);
  uint64_t LeastServedPrompt() const;
  const PrefixKey& KeyOf(Sequence* sequence, int block) const;
  std::vector<int32_t> BlocksToShare(Sequence* sequence) const;
  int BlocksNeeded(const Sequence& sequence, const std::vector<int32_t>& shared) const;
  int ChunkOf(const Sequence& sequence, const Budget& budget, ScheduledSequence* share) const;
  int DraftTokensOf(const Sequence& sequence, const Budget& budget) const;
  int RoomForDrafts() const;
  bool ScheduleOne(Sequence* sequence, Budget* budget);
  void SortCandidates();

  // In scheduler_claims.cc.
  bool Claim(Sequence* head);
  void CountHoldings();
  bool ChooseVictims(const Sequence& head, Shortage shortage, bool by_turn);
  Sequence* BestVictim(const Sequence& head, const Shortage& shortage, bool by_turn) const;
  bool MayTake(const Sequence& head, const Sequence& victim, bool by_turn) const;
  int OwnBlocks(const Sequence& sequence) const;

  const SchedulerConfig config_;
  BlockManager blocks_;
  WaitingQueue queue_;
  std::vector<Sequence*> running_;  // by id
  uint64_t num_preemptions_ = 0;
  uint64_t num_steps_ = 0;

  // Of the latest calls; members, so that a step allocates nothing.
  std::vector<ScheduledSequence> step_;
  std::vector<Sequence*> candidates_;
  std::vector<Sequence*> decodes_;
  std::vector<ClientAccount*> passed_;
  std::vector<Sequence*> victims_;
};

}  // namespace edgegate
