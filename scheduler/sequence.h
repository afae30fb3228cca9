// One token stream, as the scheduler sees it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scheduler/block_manager.h"

namespace edgegate {

struct ClientAccount;

// An image in a prompt: it stands for `count` tokens from `position` on.
struct SequenceImage {
  int position = 0;
  int count = 0;
  std::string key;  // names it
};

// Its tokens are the prompt and what was generated; the KV of the first `num_computed` of them is
// in the blocks.
struct Sequence {
  enum class State { kWaiting, kRunning, kFinished };

  uint64_t id = 0;  // grows with arrival
  State state = State::kWaiting;
  std::string tenant;  // whose cached prefixes it may use
  std::string client;  // with whose sequences it shares the model's capacity
  std::vector<int32_t> tokens;
  int prompt_len = 0;
  int max_tokens = 0;  // to generate, at most
  bool wants_prompt_logits = false;
  int num_computed = 0;
  int prompt_logits_done = 0;  // positions whose logits row was given already
  int preemptions = 0;
  std::vector<int32_t> block_table;
  std::vector<SequenceImage> images;   // by position
  std::vector<PrefixKey> prefix_keys;  // of its full blocks, as far as they were needed yet
  int num_cached = 0;                  // prompt tokens found in the prefix cache, at first
  std::vector<int32_t> draft_tokens;   // proposed continuation of the tokens
  // Set for sequences 1 .. n - 1 of a request: they wait for the first one's prompt, and then share
  // its full blocks. The rest of the prompt is computed again, which gives the same bytes, so that
  // no block ever needs copying.
  const Sequence* leader = nullptr;
  // Set by the caller while the sequence runs: no step includes it, though it keeps its blocks.
  // Preemption clears it.
  bool paused = false;

  // The scheduler's own.
  ClientAccount* account = nullptr;
  uint64_t last_step = 0;  // the latest step that it was chosen for; 0: taken back
  int charged = 0;         // tokens that its client was charged for: each is charged once
  int computed = 0;        // tokens computed since it was last admitted
  int progress = 0;        // of them, those computed for the first time

  int length() const { return static_cast<int>(tokens.size()); }
  int generated() const { return length() - prompt_len; }
  // Draft tokens that can be accepted: the last token is sampled, never computed.
  int draft_limit() const { return max_tokens - generated() - 1; }
};

}  // namespace edgegate
