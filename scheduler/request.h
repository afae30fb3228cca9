// The boundary between the server and the scheduler: a GenerationRequest goes down, by move, and
// TokenEvents come up through a GenerationHandle. It knows no protocol and no text.
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

// An item of media in a prompt. Its place is a run of the model's media tokens from `position` on,
// as many as MediaConfig::Layout() gives it rows. `item.key` identifies the content.
struct PromptMedia {
  int position = 0;
  MediaItem item;
};

// Tokens whose log-probabilities are wanted after the first `offset` tokens of a branch.
struct ScoreRow {
  int offset = 0;
  std::vector<int32_t> tokens;  // at least one
};

// A continuation of a prompt that is scored and not generated.
struct ScoreBranch {
  std::vector<int32_t> tokens;  // follow the prompt; may be empty
  std::vector<ScoreRow> rows;   // at least one, by rising offset
};

struct GenerationRequest {
  std::string id;  // for logs
  // Owner of what the request leaves in caches. Other tenants do not find it, so that response
  // times reveal nothing about the requests of others.
  std::string tenant;
  // The client that gets a fair share of the model's capacity: the id of the API key, or the
  // address if no keys are configured.
  std::string client;
  std::vector<int32_t> prompt;     // at least one token
  std::vector<PromptMedia> media;  // by position
  SamplingParams sampling;
  int num_sequences = 1;  // `n` in the API; sequence i samples with seed + i
  int max_tokens = 16;    // per sequence, at least 1; prompt + max_tokens fit the model
  int min_tokens = 0;     // per sequence; before that, no stop token is sampled
  // Includes the model's eos ids, unless they are to be ignored. Any order, any number.
  std::vector<int32_t> stop_token_ids;
  // Number of alternatives for the log-probability of each prompt token; -1: no log-probabilities
  // of the prompt. OpenAI's `echo` with `logprobs`.
  int num_prompt_logprobs = -1;
  // Not empty: the request generates nothing, and its one event has `scores`. The members for
  // sampling and stopping are not used, and num_sequences is 1. The prompt is computed once, with
  // the first branch. The others find it in the prefix cache.
  std::vector<ScoreBranch> branches;
  // Constraint that each sequence starts with a clone of; null: none.
  std::shared_ptr<const TokenConstraint> constraint;
  std::optional<std::chrono::steady_clock::time_point> deadline;
};

enum class FinishReason {
  kNone,       // still running
  kStop,       // a stop token was sampled (it is the last token of the last event)
  kLength,     // max_tokens reached
  kCancelled,  // Cancel() was called, or the drain limit passed
  kError,      // see status: the deadline passed, or a step failed
};

// Timings of the whole request, in seconds. In its final event only.
struct RequestTimings {
  double queue_s = 0;    // from submission to the first step, without encode_s
  double encode_s = 0;   // from the start of the first item of media to the end of the last one
  double prefill_s = 0;  // from the first step to the first token
  double decode_s = 0;   // from the first token to the last one
  int preemptions = 0;
  int cached_tokens = 0;    // prompt tokens found in the prefix cache
  int images_encoded = 0;   // images that were not in the cache
  int draft_tokens = 0;     // draft tokens computed
  int accepted_tokens = 0;  // draft tokens accepted
};

// Progress of one sequence. Its events come in order; the last one has finish != kNone.
struct TokenEvent {
  int index = 0;                     // 0 .. num_sequences - 1
  std::vector<SampledToken> tokens;  // new tokens, possibly none in a final event
  // Prompt tokens 1 to prompt.size() - 1, in order: once per request, in the first event of
  // sequence 0 that has a token. Position 0 has no log-probability and is left out.
  std::vector<SampledToken> prompt_logprobs;
  // Log-probabilities of the tokens of all rows of all branches, in order. They are those of
  // `prompt_logprobs`. In the event of a request with branches whose `finish` is kStop.
  std::vector<float> scores;
  FinishReason finish = FinishReason::kNone;
  Status status;                          // the cause if finish is kError
  std::optional<RequestTimings> timings;  // in the last event of the last sequence to finish
};

// The server's end of a running request, or of several that were submitted together, whose
// sequences are then numbered consecutively. Provides its own synchronization. The destructor
// cancels what is still running.
class GenerationHandle {
 public:
  virtual ~GenerationHandle() = default;

  // The next event. nullopt if `deadline` passes first, or if the final event of every sequence has
  // been taken.
  virtual std::optional<TokenEvent> Next(std::chrono::steady_clock::time_point deadline) = 0;

  // Ends one sequence, or all of them with -1. The final event then has kCancelled. Never blocks;
  // takes effect before the next step. No effect on sequences that have ended.
  virtual void Cancel(int index = -1) = 0;
};

}  // namespace edgegate
