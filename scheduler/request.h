// What crosses the boundary between the server and the scheduler: a GenerationRequest down, by
// move, and a stream of TokenEvents up through a GenerationHandle. No protocol and no text here.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/model_runner.h"
#include "engine/sampling/sampling_params.h"
#include "engine/sampling/token_constraint.h"

namespace edgegate {

// A picture in a prompt. Its place is a run of the model's image tokens, as many as a picture has
// rows, from `position` on.
struct PromptImage {
  int position = 0;
  PreparedPixels pixels;
  std::string key;  // names the pixels, by their SHA-256, and whose they are
};

struct GenerationRequest {
  std::string id;  // for logs
  // Who asks. What one has had computed, another does not find in a cache, so that answering times
  // tell nobody what others asked.
  std::string tenant;
  // Among whom the model's capacity is shared fairly: the key's id, or the address where there are
  // no keys.
  std::string client;
  std::vector<int32_t> prompt;      // at least one token
  std::vector<PromptImage> images;  // by position
  SamplingParams sampling;
  int num_sequences = 1;  // `n`; sequence i samples with seed + i
  int max_tokens = 16;    // per sequence, >= 1; prompt + max_tokens fits the model
  // The model's eos ids included, unless ignored. In any order and any number; Submit sorts them.
  std::vector<int32_t> stop_token_ids;
  // Log-probabilities of the prompt's tokens, this many alternatives each; -1: none. OpenAI's
  // `echo` with `logprobs`.
  int num_prompt_logprobs = -1;
  // What each sequence must follow, at its start; null: nothing. Only cloned.
  std::shared_ptr<const TokenConstraint> constraint;
  std::optional<std::chrono::steady_clock::time_point> deadline;
};

enum class FinishReason {
  kNone,       // still running
  kStop,       // a stop token was sampled (it is the last token of the last event)
  kLength,     // max_tokens reached
  kCancelled,  // Cancel(), or the drain limit passed
  kError,      // status says what; deadline passed, or the step failed
};

// Seconds, of the whole request; final event only.
struct RequestTimings {
  double queue_s = 0;    // submit to first scheduled, but for encode_s
  double encode_s = 0;   // first picture's start to last picture's end
  double prefill_s = 0;  // first scheduled to first token
  double decode_s = 0;   // first token to last token
  int preemptions = 0;
  int cached_tokens = 0;    // of the prompt, found in the prefix cache
  int images_encoded = 0;   // the others were in the cache
  int draft_tokens = 0;     // computed ahead of their turn (Drafter)
  int accepted_tokens = 0;  // of them, those that came
};

// One sequence's news. Events of one sequence come in order; the last has finish != kNone.
struct TokenEvent {
  int index = 0;                     // 0 .. num_sequences - 1
  std::vector<SampledToken> tokens;  // new tokens, possibly none in a final event
  // Prompt tokens 1 .. prompt.size() - 1, in order, once per request, before any token (index 0).
  // Position 0 has no log-probability and is left out.
  std::vector<SampledToken> prompt_logprobs;
  FinishReason finish = FinishReason::kNone;
  Status status;                          // why, when finish is kError
  std::optional<RequestTimings> timings;  // in the last event of the last sequence to finish
};

// The server's end of a running request, or of several that were submitted together: their
// sequences are then numbered through. Provides its own synchronization. Destroying it cancels what
// is still running.
class GenerationHandle {
 public:
  virtual ~GenerationHandle() = default;

  // The next event, in order; nullopt when `deadline` passes first, or when every sequence's final
  // event has been handed out.
  virtual std::optional<TokenEvent> Next(std::chrono::steady_clock::time_point deadline) = 0;

  // Ends one sequence (its final event then says kCancelled), or with -1 all of them. Never
  // blocks; takes effect before the next step. No-op for what has ended.
  virtual void Cancel(int index = -1) = 0;
};

}  // namespace edgegate
