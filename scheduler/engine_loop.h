// The engine loop: one thread that owns each loaded model's scheduler, block manager and runner,
// and steps the models by turns. Everyone else talks to it through Submit and the handle.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/model_runner.h"
#include "scheduler/request.h"

namespace edgegate {

struct SchedulerLimits {
  int max_num_seqs = 64;             // sequences running at once, per model
  int max_num_batched_tokens = 512;  // tokens per step
  int max_waiting = 256;             // sequences waiting for their first step; see AdmissionLimiter
  int64_t image_cache_bytes = int64_t{64} << 20;  // rows of pictures, kept for the next request
  bool prefix_caching = true;  // KV blocks outlive their sequences, for prompts that begin alike
  std::chrono::milliseconds target_itl{0};  // longest gap between tokens; 0: three usual ones
  bool speculation = true;  // where few sequences run, steps compute what Drafter guesses
};

// What /health, /metrics and the watchdog may know without waiting for a step.
struct EngineSnapshot {
  // A turn of the loop that takes longer means that the engine is stuck. Turns take less than 2 s;
  // a first step on a slow machine may take longer.
  static constexpr std::chrono::seconds kStuckAfter{10};

  struct Model {
    int running = 0;  // sequences
    int waiting = 0;  // sequences
    int blocks_total = 0;
    int blocks_free = 0;
    int draft_blocks_total = 0;  // of the draft model; 0: there is none
    int draft_blocks_free = 0;
    uint64_t preemptions = 0;
    uint64_t prompt_tokens = 0;     // prefilled, in total
    uint64_t cached_tokens = 0;     // of prompts, found in the prefix cache, in total
    uint64_t generated_tokens = 0;  // in total
    uint64_t guessed_tokens = 0;    // computed ahead of their turn, in total
    uint64_t guessed_right = 0;     // of them, those that came
    uint64_t images_encoded = 0;    // in total
    uint64_t image_cache_hits = 0;  // in total
    int64_t image_cache_bytes = 0;
    std::string failure;  // why the model answers no more requests; empty: it does
  };
  std::vector<Model> models;
  uint64_t steps = 0;  // completed Forward() calls; grows while there is work
  uint64_t failed_steps_in_row = 0;
  // How long the turn under way has been running, as of the call; 0 where the loop is idle.
  std::chrono::steady_clock::duration turn{0};

  bool stuck() const { return turn > kStuckAfter; }
};

// Provides its own synchronization, unless a method says otherwise.
class EngineLoop {
 public:
  // For so many models at most.
  explicit EngineLoop(int models = 1);
  ~EngineLoop();  // stops the thread; what is still running ends with kCancelled

  // Adds a model and gives its index for Submit. `valid_tokens` (size vocab_size) says which ids
  // may be sampled. `draft`, of the same vocabulary, guesses for it; may be null. `check_weights`
  // says whether the model's weights are still what was loaded; may be null. The loop calls it on
  // its own thread after each computation, before a result is delivered. Once it fails, the model's
  // requests end with its status, and Submit() refuses further ones. The loop may be running.
  int AddModel(std::unique_ptr<ModelRunner> runner, SchedulerLimits limits,
               std::vector<bool> valid_tokens, std::unique_ptr<ModelRunner> draft = nullptr,
               std::function<Status()> check_weights = nullptr);

  void Start();

  // Whether Submit() would find a place in the waiting queue now, for so many sequences of this
  // client. To be asked before a request is tokenized; Submit() may still refuse it.
  Status CheckAdmission(int model, const std::string& client, int sequences) const;

  // Hands a request to the loop. kResourceExhausted when the waiting queue is full, or has no place
  // for more of this client; kUnavailable when draining, or with check_weights' message once that
  // failed; kInvalidArgument when it can never fit (longer than max_model_len or the pool). Takes
  // time in proportion to the request: the loop's own work for it is small.
  Result<std::unique_ptr<GenerationHandle>> Submit(int model, GenerationRequest request);
  // Several, all or none. The handle numbers their sequences through.
  Result<std::unique_ptr<GenerationHandle>> Submit(int model,
                                                   std::vector<GenerationRequest> requests);

  // Refuses new requests from now on; returns when the running ones are done, or, at `deadline`,
  // cancels them first.
  void Drain(std::chrono::steady_clock::time_point deadline);

  EngineSnapshot snapshot() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace edgegate
