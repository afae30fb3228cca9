// The engine loop: one thread that owns the scheduler, block manager and runner of each loaded
// model, and steps the models in turn. Other threads reach it through Submit() and the handle.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/model_runner.h"
#include "engine/model/text_encoder.h"
#include "scheduler/encode_request.h"
#include "scheduler/engine_snapshot.h"
#include "scheduler/request.h"
#include "scheduler/scheduler_settings.h"

namespace edgegate {

// Provides its own synchronization, unless a method says otherwise.
class EngineLoop {
 public:
  // Makes a loop for at most `models` models.
  explicit EngineLoop(int models = 1);
  ~EngineLoop();  // stops the thread; running requests end with kCancelled

  // Adds a model and returns its index for Submit(). `valid_tokens` (size vocab_size) marks the ids
  // that may be sampled. `draft` proposes draft tokens; it has the same vocabulary; may be null.
  // `check_weights` returns an error if the model's weights have changed since they were loaded;
  // may be null. The loop calls it on its own thread after each computation, before a result is
  // delivered. Once it fails, the model's requests end with its status, and Submit() refuses
  // further ones. The loop may be running. Throws std::logic_error for more models than announced.
  int AddModel(std::unique_ptr<ModelRunner> runner, const SchedulerSettings& settings,
               std::vector<bool> valid_tokens, std::unique_ptr<ModelRunner> draft = nullptr,
               std::function<Status()> check_weights = nullptr);

  // Adds a text encoder, as AddModel(). Its requests are submitted with SubmitTexts().
  int AddEncoder(std::unique_ptr<TextEncoder> encoder,
                 std::function<Status()> check_weights = nullptr);

  // Starts the thread. Call once.
  void Start();

  // OK if Submit() or SubmitTexts() would find places in the waiting queue now, for `sequences`
  // sequences or texts of this client. Call it before a request is tokenized. Submit() may still
  // refuse the request.
  Status CheckAdmission(int model, const std::string& client, int sequences) const;

  // Hands a request to the loop. kResourceExhausted if the waiting queue is full, or has no place
  // for more sequences of this client. kUnavailable while draining, or with check_weights' message
  // once that failed. kInvalidArgument if the request can never fit (longer than max_model_len or
  // the KV pool). Takes time in proportion to the request, so that the loop's own work is small.
  Result<std::unique_ptr<GenerationHandle>> Submit(int model, GenerationRequest request);
  // Submits several requests, all or none. The handle numbers their sequences consecutively.
  Result<std::unique_ptr<GenerationHandle>> Submit(int model,
                                                   std::vector<GenerationRequest> requests);

  // Hands texts to an encoder. The errors are those of Submit().
  Result<std::unique_ptr<EncodeHandle>> SubmitTexts(int model, EncodeRequest request);

  // Refuses new requests from now on. Returns when the running ones have ended; at `deadline`, it
  // cancels those that are left.
  void Drain(std::chrono::steady_clock::time_point deadline);

  EngineSnapshot snapshot() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace edgegate
