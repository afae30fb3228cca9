// The members that requests to /v1/chat/completions and /v1/completions share.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "server/api/json/fields.h"
#include "server/call/call.h"

namespace edgegate {

// Options that only the writer of the answer needs.
struct OutputOptions {
  bool stream = false;
  bool include_usage = false;
  bool continuous_usage = false;   // vLLM's: every chunk has the usage so far
  bool timings_per_token = false;  // llama.cpp's: every chunk has the timings so far
  bool logprobs = false;
  bool return_token_ids = false;
  bool functions = false;                   // calls are written as the older `function_call`
  bool return_tokens_as_token_ids = false;  // in log-probabilities: "token_id:17"
  Warnings warnings = {};
};

// Each function reads members into the call. Errors are stored in `fields`.
// The model may be absent: AnswerCall() has it from the path, or refuses the call.
void ParseModel(Fields* fields, Call* call);
// Reads "max_tokens", "max_completion_tokens" or llama.cpp's "n_predict", which must be at least
// `least`, "min_tokens", and "n".
void ParseLengths(Fields* fields, int64_t least, Call* call);
void ParseSampling(Fields* fields, Call* call);
void ParseStop(Fields* fields, Call* call);
// Reads the output constraint, and the writer's options.
void ParseOutput(Fields* fields, Call* call, OutputOptions* output);
// Reads "best_of", which must be the number of choices.
void ParseBestOf(Fields* fields, int num_choices);

// Reads token ids. nullopt: the value is not a list of token ids.
std::optional<std::vector<int32_t>> TokenIds(const nlohmann::ordered_json& value);

}  // namespace edgegate
