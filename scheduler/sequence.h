// A sequence: a prompt and one answer to it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/sampling/sampler.h"
#include "engine/sampling/token_constraint.h"
#include "scheduler/block_manager.h"

namespace edgegate {

struct ClientAccount;
struct ScoreBranch;
struct SequenceGroup;

// An item of media in a prompt. It stands for `count` tokens from `position` on.
struct SequenceMedia {
  int position = 0;
  int count = 0;
  std::string key;  // identifies the content and the tenant
};

// Its tokens are the prompt and the generated tokens. The KV of the first `num_computed` of them is
// in the blocks. Owned by a SequenceGroup. Used by the engine loop's thread only.
struct Sequence {
  enum class State { kWaiting, kRunning, kFinished };

  // Set when the sequence is made.
  SequenceGroup* group = nullptr;  // the request; null in tests of the scheduler alone
  int index = 0;                   // position in the request; added to the request's seed
  std::string tenant;              // owner of the cached prefixes that it may use
  std::string client;              // gets a fair share of the model's capacity
  std::vector<int32_t> tokens;
  int prompt_len = 0;
  int max_tokens = 0;  // most tokens to generate
  bool wants_prompt_logits = false;
  std::vector<SequenceMedia> media;             // by position
  std::unique_ptr<TokenConstraint> constraint;  // null: none
  const ScoreBranch* branch = nullptr;          // ends the prompt and is scored; null: none
  size_t first_score = 0;                       // place of the branch's scores in the request's
  // Tokens that other sequences of the request begin with too. If they end inside a block, its KV
  // is copied from a sequence that has computed it. 0: no block is copied.
  int common_prefix = 0;

  // Set by the caller of Scheduler::Add. `id` grows with arrival. Sequences 1 to n - 1 of a request
  // have a leader: they wait for the prompt of sequence 0, and then share its full blocks. They
  // compute the rest of the prompt again, which gives the same bytes, so that no block is copied.
  uint64_t id = 0;
  const Sequence* leader = nullptr;

  // Set by the caller while the sequence runs. No step includes a paused sequence, though it keeps
  // its blocks. Preemption clears it.
  bool paused = false;

  // Written by the scheduler.
  State state = State::kWaiting;
  int num_computed = 0;
  std::vector<int32_t> block_table;
  std::vector<PrefixKey> prefix_keys;  // of the first full blocks; computed when they are needed
  int prompt_logits_done = 0;          // prompt positions whose logits were delivered
  int num_cached = 0;                  // prompt tokens found in the prefix cache at first
  int preemptions = 0;
  uint64_t last_step = 0;  // the latest step that includes it; 0: that share was taken back
  int charged = 0;         // tokens counted for its client; each token is counted once
  int computed = 0;        // tokens computed since the latest admission
  int progress = 0;        // those of them that were computed for the first time
  ClientAccount* account = nullptr;

  // Written by Drafter: a proposed continuation of `tokens`.
  std::vector<int32_t> draft_tokens;

  // Written by Delivery.
  TokenCounts counts;
  std::vector<SampledToken> prompt_logprobs;  // not delivered yet
  bool awaits_mask = false;                   // the last step had no mask for it
  bool scheduled = false;  // was in a step, and no longer holds a place in the waiting queue

  int length() const { return static_cast<int>(tokens.size()); }
  int generated() const { return length() - prompt_len; }
  // Number of draft tokens that can be accepted. The last token is sampled and never computed.
  int draft_limit() const { return max_tokens - generated() - 1; }
};

}  // namespace edgegate
