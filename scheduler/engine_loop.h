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
#include "scheduler/engine_snapshot.h"
#include "scheduler/request.h"
#include "scheduler/scheduler_settings.h"

namespace edgegate {

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
  int AddModel(std::unique_ptr<ModelRunner> runner, SchedulerSettings limits,
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
