// Chooses what runs in the next step: continuous batching (Yu et al. 2022, Orca) over paged KV
// blocks (Kwon et al. 2023, vLLM), decodes first and prompts in chunks (Agrawal et al. 2024,
// Sarathi-Serve). Pure: no threads, no clock, no I/O. It knows token counts and no tensors.
//
// A QueuePolicy decides between clients: who is admitted next, whose prompt is computed first, and
// who is preempted if there is no room.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "scheduler/block_manager.h"
#include "scheduler/queue_policy.h"
#include "scheduler/sequence.h"
#include "scheduler/waiting_queue.h"

namespace edgegate {

// A sequence's share of a step: its tokens [num_computed, num_computed + count), then its first
// `num_draft_tokens` draft tokens.
struct ScheduledSequence {
  Sequence* sequence = nullptr;
  int count = 0;
  int first_logits = 0;      // index in the share from which on each token gives a logits row
  bool samples = false;      // a token is sampled from the last token's row
  int num_draft_tokens = 0;  // each gives a logits row

  int logits_rows() const { return count - first_logits + num_draft_tokens; }
};

// A block whose KV another block gets.
struct BlockCopy {
  int32_t from = 0;
  int32_t to = 0;
};

struct SchedulerConfig {
  int max_num_seqs = 64;
  int max_num_batched_tokens = 512;
  int max_logits_rows = 64;
  int block_size = 16;
  int num_blocks = 0;
  bool prefix_caching = true;
  std::string queue_policy = "fair";  // a registered name
};

// Not thread-safe. Sequences are the caller's and must outlive their stay here.
class Scheduler {
 public:
  explicit Scheduler(const SchedulerConfig& config);

  // True if a sequence of `tokens` tokens in all can run alone.
  bool Fits(int tokens) const;

  // Queues a sequence. Precondition: Fits(prompt_len + max_tokens), state kWaiting.
  void Add(Sequence* sequence);

  // Takes a sequence out wherever it is, and frees its blocks. Its state becomes kFinished.
  void Remove(Sequence* sequence);

  // Chooses the next step, with at most `prompt_tokens` (>= 1) tokens of prompts, and allocates its
  // blocks. Draft tokens take the room that is left after one token of every decode and one prompt
  // token. The caller computes the step. It then calls Advance() for each share and appends sampled
  // tokens, or, if the computation failed, removes the sequences. Valid until the next call.
  const std::vector<ScheduledSequence>& Schedule(
      int prompt_tokens = std::numeric_limits<int>::max());

  // The copies of blocks that the latest Schedule() needs, in order. The caller makes them before
  // it computes a step, also if the step is empty.
  const std::vector<BlockCopy>& copies() const { return copies_; }

  // The running sequences that decode and are not paused. Valid until the next call.
  const std::vector<Sequence*>& Decodes();

  // Records that the share's tokens were computed. {sequence, 1} records an accepted draft token,
  // which the caller has appended to the sequence's tokens.
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
  // Remaining capacity of a step.
  struct Budget {
    int tokens;
    int prompt_tokens;  // part of `tokens`
    int logits_rows;
    int draft_tokens;
  };
  enum class Admission { kAdmitted, kNoRoom, kAwaitsLeader };

  QueueView View() const { return {queue_.clients(), running_, blocks_, config_.max_num_seqs}; }

  // Steps (scheduler.cc).
  bool IsDecode(const Sequence& s) const { return s.num_computed == s.length() - 1; }
  bool Grow(Sequence* sequence, int length);
  int ChunkOf(const Sequence& sequence, const Budget& budget, ScheduledSequence* share) const;
  int DraftTokensOf(const Sequence& sequence, const Budget& budget) const;
  int RoomForDrafts() const;
  bool ScheduleOne(Sequence* sequence, Budget* budget);
  void ScheduleRunning(bool decodes, Budget* budget);
  const Sequence* FirstPrompt() const;
  void ChooseStep(int prompt_tokens);

  // Admission and preemption (scheduler_admission.cc).
  void Preempt(Sequence* sequence);
  void FreeBlocks(Sequence* sequence);
  PrefixKey KeyOfTokens(const Sequence& sequence, int block, int count) const;
  const PrefixKey& KeyOf(Sequence* sequence, int block) const;
  int CommonTail(const Sequence& sequence) const;
  PrefixKey KeyOfCommonTail(Sequence* sequence) const;
  void RegisterCommonTail(Sequence* sequence, int before);
  void CopyCommonTail(Sequence* sequence);
  std::vector<int32_t> BlocksToShare(Sequence* sequence) const;
  int BlocksNeeded(const Sequence& sequence, const std::vector<int32_t>& shared) const;
  Admission Admit(Sequence* sequence);
  bool MakeRoom(Sequence* sequence);
  Sequence* AdmitNext(const Sequence* prompt);
  void AdmitWaiting(const Sequence* prompt, Budget* budget);

  const SchedulerConfig config_;
  BlockManager blocks_;
  WaitingQueue queue_;
  std::vector<Sequence*> running_;  // by id
  uint64_t num_preemptions_ = 0;
  uint64_t num_steps_ = 0;

  // Scratch of the latest calls. Members, so that a step allocates nothing.
  std::vector<ScheduledSequence> step_;
  std::vector<BlockCopy> copies_;
  std::vector<Sequence*> candidates_;
  std::vector<Sequence*> decodes_;
  std::vector<Sequence*> order_;
  std::vector<Sequence*> passed_;
  std::vector<Sequence*> victims_;
};

}  // namespace edgegate
