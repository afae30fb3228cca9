// What runs in the next step: continuous batching (Yu et al. 2022, Orca) over paged KV blocks (Kwon
// et al. 2023, vLLM), decodes first and prompts in chunks (Agrawal et al. 2024, Sarathi-Serve).
// Pure: no threads, no clock, no I/O; it knows token counts, never tensors.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "engine/model/model_runner.h"
#include "scheduler/block_manager.h"

namespace edgegate {

// A picture in a prompt: what stands for `count` tokens from `position` on.
struct SequencePicture {
  int position = 0;
  int count = 0;
  std::string key;  // names it
};

// One token stream. Its tokens are the prompt and what was generated; the KV of the first
// `num_computed` of them is in the blocks.
struct Sequence {
  enum class State { kWaiting, kRunning, kFinished };

  uint64_t id = 0;  // grows with arrival
  State state = State::kWaiting;
  std::string tenant;
  std::vector<int32_t> tokens;
  int prompt_len = 0;
  int max_tokens = 0;  // to generate, at most
  bool wants_prompt_logits = false;
  int num_computed = 0;
  int prompt_logits_done = 0;  // positions whose logits row was given already
  int preemptions = 0;
  std::vector<int32_t> block_table;
  std::vector<SequencePicture> pictures;  // by position
  std::vector<PrefixKey> prefix_keys;     // of its full blocks, as far as they were needed yet
  int num_cached = 0;                     // prompt tokens found in the prefix cache, at first
  std::vector<int32_t> guesses;           // of what follows the tokens
  // Set for sequences 1 .. n - 1 of a request: they wait for the first one's prompt, and then share
  // its full blocks. The rest of the prompt is computed again, which gives the same bytes, so that
  // no block ever needs copying.
  const Sequence* leader = nullptr;

  int length() const { return static_cast<int>(tokens.size()); }
  int generated() const { return length() - prompt_len; }
  // Guesses that could come true: the last token is sampled, never computed.
  int guessable() const { return max_tokens - generated() - 1; }
};

// A sequence's share of the step: tokens [num_computed, num_computed + count).
struct ScheduledSequence {
  Sequence* sequence = nullptr;
  int count = 0;
  int first_logits = 0;  // index within the share from which on each token gives a logits row;
                         // == count: none
  bool samples = false;  // the last token's row is sampled from
  int guesses = 0;       // of the sequence's, computed behind its tokens, each with a logits row

  int logits_rows() const { return count - first_logits + guesses; }
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

  // The running sequences that are past their prompts. Valid until the next call.
  const std::vector<Sequence*>& Decodes();

  // The share's tokens were computed; or, as {sequence, 1}, one of its guesses too, which turned
  // out right and is now one of the sequence's tokens.
  void Advance(const ScheduledSequence& share);

  bool HasWork() const { return !waiting_.empty() || !running_.empty(); }
  int num_running() const { return static_cast<int>(running_.size()); }
  int num_waiting() const { return static_cast<int>(waiting_.size()); }
  uint64_t num_preemptions() const { return num_preemptions_; }
  const BlockManager& blocks() const { return blocks_; }

 private:
  struct Budget {
    int tokens;
    int prompt_tokens;  // of them
    int logits_rows;
    int guesses;
  };
  bool IsDecode(const Sequence& s) const { return s.num_computed == s.length() - 1; }
  bool Grow(Sequence* sequence, int length);
  void Preempt(Sequence* sequence);
  void FreeBlocks(Sequence* sequence);
  bool Admit(Sequence* sequence);
  const PrefixKey& KeyOf(Sequence* sequence, int block) const;
  std::vector<int32_t> BlocksToShare(Sequence* sequence) const;
  int ChunkOf(const Sequence& sequence, const Budget& budget, ScheduledSequence* share) const;
  int GuessesOf(const Sequence& sequence, const Budget& budget) const;
  int RoomForGuesses() const;
  bool ScheduleOne(Sequence* sequence, Budget* budget);

  const SchedulerConfig config_;
  BlockManager blocks_;
  std::deque<Sequence*> waiting_;   // by id, but for the preempted, which are older than the rest
  std::vector<Sequence*> running_;  // by id
  uint64_t num_preemptions_ = 0;

  // Of the latest calls; members, so that a step allocates nothing.
  std::vector<ScheduledSequence> step_;
  std::vector<Sequence*> candidates_;
  std::vector<Sequence*> decodes_;
};

}  // namespace edgegate
