// Runs a call on the engine. Tokenizes the input, applies defaults and limits, submits the request,
// and converts its tokens to text up to a stop string.
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

// The reason why a choice ended.
enum class ChoiceEnd {
  kNone,    // it has not ended
  kCalls,   // the model has called tools
  kStop,    // a stop string or a stop token came, or the model ended its text
  kLength,  // max_tokens is reached
  kFailed,  // Generation::error() tells why
};

// A choice's new text and tokens.
struct ChoiceEvent {
  int choice = 0;
  std::string text;               // the content
  std::vector<AnswerPart> parts;  // content, thoughts and calls of tools, in order
  std::vector<SampledToken> tokens;
  ChoiceEnd end = ChoiceEnd::kNone;
  // The stop string, or the call's stop token, that ended it.
  std::optional<std::string> stop_string;
  std::optional<int32_t> stop_token;
};

struct GenerationUsage {
  int prompt_tokens = 0;
  int completion_tokens = 0;
  int reasoning_tokens = 0;  // of the completion's, in thoughts that are split from the content
  int cached_tokens = 0;
  int image_tokens = 0;  // of the prompt's
  RequestTimings timings;
};

// Owned by one thread. The destructor cancels the choices that still run.
class Generation {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Checks the parameters against the model, and the sizes against the context. Needs no decoding,
  // tokenizing or compiling.
  static std::optional<CallError> CheckFirst(const Call& call, const ServedModel& model);

  // Tokenizes and checks the input, compiles the grammar and submits the request. `images` are the
  // loaded images of the call; their positions are set here. Precondition: CheckFirst() found no
  // error. `model` and `engine` must outlive the result.
  static std::variant<std::unique_ptr<Generation>, CallError> Start(
      const Call& call, const ServedModel& model, std::vector<PromptMedia> images,
      EngineLoop* engine, std::optional<TimePoint> deadline, const JobContext& context);

  // Returns the token ids of the call's first prompt. Tokenizes it and runs nothing. Precondition:
  // CheckFirst() found no error.
  static std::variant<std::vector<int32_t>, CallError> EncodePrompt(const Call& call,
                                                                    const ServedModel& model,
                                                                    std::vector<PromptMedia> images,
                                                                    const JobContext& context);

  // Waits for the next event. nullopt: `until` passed, or all choices have ended.
  std::optional<ChoiceEvent> Next(TimePoint until);
  bool done() const { return open_ == 0; }
  // Set when the engine failed.
  const std::optional<CallError>& error() const { return error_; }

  int num_choices() const { return static_cast<int>(choices_.size()); }
  const GenerationUsage& usage() const { return usage_; }
  // Returns the number of turns that were left out because the prompt was too long.
  size_t dropped_turns() const { return dropped_turns_; }
  const std::vector<int32_t>& prompt(int choice) const;
  // Log-probabilities of the prompt's tokens. Valid after the first event of the choice.
  const std::vector<SampledToken>& prompt_logprobs(int choice) const;

 private:
  struct Prompted {
    std::vector<int32_t> ids;
    std::vector<SampledToken> logprobs;
  };
  struct Choice {
    std::unique_ptr<TextAssembler> text;
    bool finished = false;
    bool called = false;    // it has called a tool
    bool thinking = false;  // the last piece of its text is a thought
  };

  Generation() = default;
  // Fills the engine's request for one prompt with these token ids.
  std::optional<CallError> AddPrompt(const Call& call, const ServedModel& model,
                                     std::vector<int32_t> ids, std::vector<PromptMedia> images,
                                     GenerationRequest* request);
  size_t PromptOf(int choice) const { return static_cast<size_t>(choice / per_prompt_); }
  ChoiceEvent Absorb(TokenEvent event);
  void AbsorbTokens(TokenEvent* event, Choice* choice, ChoiceEvent* out);
  void AbsorbEnd(const TokenEvent& event, Choice* choice, ChoiceEvent* out);

  int per_prompt_ = 1;  // choices
  size_t dropped_turns_ = 0;
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
