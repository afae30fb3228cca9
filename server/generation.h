// From a parsed API request to the engine, and from its tokens back to text: tokenizing, defaults,
// limits, stop strings. Knows neither HTTP nor JSON.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/engine_loop.h"
#include "server/openai/errors.h"
#include "server/openai/request.h"
#include "server/served_model.h"
#include "server/text_assembler.h"

namespace edgegate {

// News of one choice.
struct ChoiceEvent {
  int choice = 0;
  std::string text;
  std::vector<SampledToken> tokens;
  std::string finish_reason;  // empty: still running
  std::optional<std::string> stop_string;
  std::optional<int32_t> stop_token;
};

struct GenerationUsage {
  int prompt_tokens = 0;
  int completion_tokens = 0;
  int cached_tokens = 0;
  int image_tokens = 0;  // of the prompt's
  RequestTimings timings;
};

// Owned by one thread. Destroying it cancels what still runs.
class Generation {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Checks what can be known before anything is decoded, tokenized or compiled: parameters against
  // the model, and sizes against the context. The error is the client's answer.
  static std::optional<ApiError> CheckFirst(const ApiRequest& request, const ServedModel& model);

  // Tokenizes, checks, compiles the grammar and submits. `images` are the request's, loaded,
  // without their positions. The error is the client's answer. Precondition: CheckFirst() found
  // nothing. `model` and `engine` must outlive it.
  static std::optional<ApiError> Start(const ApiRequest& request, const ServedModel& model,
                                       std::vector<PromptImage> images, EngineLoop* engine,
                                       std::optional<TimePoint> deadline, const JobContext& context,
                                       std::unique_ptr<Generation>* out);

  // The next news; nullopt when `until` passes first or all is done.
  std::optional<ChoiceEvent> Next(TimePoint until);
  bool done() const { return open_ == 0; }
  // Set when the engine failed: the answer is this error.
  const std::optional<ApiError>& error() const { return error_; }

  int num_choices() const { return static_cast<int>(choices_.size()); }
  const GenerationUsage& usage() const { return usage_; }
  const std::vector<int32_t>& prompt(int choice) const;
  // Known once the choice's first tokens came.
  const std::vector<SampledToken>& prompt_logprobs(int choice) const;

 private:
  struct Prompted {
    std::vector<int32_t> ids;
    std::vector<SampledToken> logprobs;
  };
  struct Choice {
    std::unique_ptr<TextAssembler> text;
    bool finished = false;
  };

  explicit Generation(const ApiRequest& request) : request_(request) {}
  // Tokenizes prompt `index` and fills the engine's request.
  std::optional<ApiError> AddPrompt(size_t index, const ServedModel& model,
                                    std::vector<PromptImage> images, const JobContext& context,
                                    GenerationRequest* request);
  size_t PromptOf(int choice) const { return static_cast<size_t>(choice / request_.n); }
  ChoiceEvent Absorb(TokenEvent event);

  const ApiRequest request_;
  std::unique_ptr<GenerationHandle> handle_;  // its sequences are the choices
  std::vector<Prompted> prompts_;
  std::vector<Choice> choices_;
  std::optional<ApiError> error_;
  GenerationUsage usage_;
  int open_ = 0;  // sequences whose final event has not come
};

}  // namespace edgegate
