// From a call to the engine, and from its tokens back to text: tokenizing, defaults, limits, stop
// strings.
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
#include "server/call/served_model.h"
#include "server/call/text_assembler.h"

namespace edgegate {

// The reason for which a choice ended.
enum class ChoiceEnd {
  kNone,    // it has not ended
  kCalls,   // the model has called tools, and waits for their results
  kStop,    // a stop string or a stop token came, or the model ended its text
  kLength,  // max_tokens is reached
  kFailed,  // Generation::error() tells why
};

// A choice's new text and tokens.
struct ChoiceEvent {
  int choice = 0;
  std::string text;               // the content
  std::vector<AnswerPart> parts;  // all of it: content, thoughts, calls of tools
  std::vector<SampledToken> tokens;
  ChoiceEnd end = ChoiceEnd::kNone;
  // The stop string, or the call's stop token, that ended it.
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
  // the model, and sizes against the context.
  static std::optional<CallError> CheckFirst(const Call& call, const ServedModel& model);

  // Tokenizes, checks, compiles the grammar and submits. `images` are the call's, loaded, without
  // their positions. Precondition: CheckFirst() found nothing. `model` and `engine` must outlive
  // the result.
  static std::variant<std::unique_ptr<Generation>, CallError> Start(
      Call call, const ServedModel& model, std::vector<PromptMedia> images, EngineLoop* engine,
      std::optional<TimePoint> deadline, const JobContext& context);

  // The next event. Nothing when `until` passes first or all is done.
  std::optional<ChoiceEvent> Next(TimePoint until);
  bool done() const { return open_ == 0; }
  // Set when the engine failed.
  const std::optional<CallError>& error() const { return error_; }

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
    bool called = false;  // a tool
  };

  Generation() = default;
  // Fills the engine's request for the prompt, whose ids these are.
  std::optional<CallError> AddPrompt(const Call& call, const ServedModel& model,
                                     std::vector<int32_t> ids, std::vector<PromptMedia> images,
                                     GenerationRequest* request);
  size_t PromptOf(int choice) const { return static_cast<size_t>(choice / per_prompt_); }
  ChoiceEvent Absorb(TokenEvent event);
  void AbsorbTokens(TokenEvent* event, Choice* choice, ChoiceEvent* out);
  void AbsorbEnd(const TokenEvent& event, Choice* choice, ChoiceEvent* out);

  int per_prompt_ = 1;                        // choices
  bool drop_tokens_ = false;                  // max_tokens is 0
  std::vector<int32_t> stop_token_ids_;       // that the call asked for
  std::unique_ptr<GenerationHandle> handle_;  // its sequences are the choices
  std::vector<Prompted> prompts_;
  std::vector<Choice> choices_;
  std::optional<CallError> error_;
  GenerationUsage usage_;
  int open_ = 0;  // sequences whose final event has not come
};

}  // namespace edgegate
