// Settings of a model in the engine loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace edgegate {

struct SchedulerSettings {
  int max_num_seqs = 64;             // running sequences per model
  int max_num_batched_tokens = 512;  // tokens per step
  int max_waiting = 256;             // sequences that wait for their first step; AdmissionLimiter
  int64_t image_cache_bytes = int64_t{64} << 20;  // encoded images kept for later requests
  bool prefix_caching = true;  // keep the KV blocks of prompts for later requests
  // Longest inter-token latency while prompts and images are worked on; 0: see StepPace.
  std::chrono::milliseconds target_itl{0};
  bool speculation = true;            // compute draft tokens (Drafter) while few sequences run
  std::string queue_policy = "fair";  // a name of QueuePolicyNames()
};

}  // namespace edgegate
