// A request for decisions, and its run on the engine: loads images, tokenizes the input and the
// questions, submits them, and converts scores to probabilities. Contains neither HTTP nor JSON.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "scheduler/engine_loop.h"
#include "server/call/call.h"
#include "server/call/call_error.h"
#include "server/call/decision_text.h"
#include "server/call/score_plan.h"
#include "server/call/served_model.h"
#include "server/media/fetch.h"

namespace edgegate {

struct DecisionCall {
  Call call;  // the caller, the model, the conversation and its images
  std::vector<DecisionQuestion> questions;  // at least one
};

struct DecisionResult {
  // For each question the probability of each option, in order. A predicate has two: that it is
  // true, and that it is not. Each question's add up to 1.
  std::vector<std::vector<double>> probabilities;
  int64_t input_tokens = 0;  // of the input, and of each continuation that was scored
  int cached_tokens = 0;     // of the input's, found in the prefix cache
  int prompt_tokens = 0;     // of the input
  RequestTimings timings;
};

// Owned by one thread. The destructor cancels the request.
class DecisionRun {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Limits of the continuations of all questions.
  static constexpr size_t kMostBranches = 4096;
  static constexpr int64_t kMostTokens = 262144;

  // Checks the call, loads its images, tokenizes and submits it. `model` and `engine` must outlive
  // the result.
  static std::variant<std::unique_ptr<DecisionRun>, CallError> Start(
      const DecisionCall& decision, const ServedModel& model, const FetchOptions& fetch,
      MemoryBudget* memory, EngineLoop* engine, std::optional<TimePoint> deadline,
      const JobContext& context);

  // Waits for the end. True: it has come.
  bool Wait(TimePoint until);
  // Returns the probabilities. Call it once, after Wait() has returned true.
  std::variant<DecisionResult, CallError> Take();

 private:
  DecisionRun() = default;

  std::unique_ptr<GenerationHandle> handle_;
  std::optional<TokenEvent> end_;
  ScorePlan plan_;
  DecisionResult result_;
  double temperature_ = 1;
};

}  // namespace edgegate
