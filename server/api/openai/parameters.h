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
  bool logprobs = false;
  bool return_token_ids = false;
  bool functions = false;                   // calls are written as the older `function_call`
  bool return_tokens_as_token_ids = false;  // in log-probabilities: "token_id:17"
};

// Each function reads members into the call. Errors are stored in `fields`.
// The model may be absent: AnswerCall() has it from the path, or refuses the call.
void ParseModel(Fields* fields, Call* call);
// Reads "max_tokens" or "max_completion_tokens", which must be at least `least`, and "n".
void ParseLengths(Fields* fields, int64_t least, Call* call);
void ParseSampling(Fields* fields, Call* call);
void ParseStop(Fields* fields, Call* call);
// Reads the output constraint, and the writer's options.
void ParseOutput(Fields* fields, Call* call, OutputOptions* output);
// Reads members that do not change the answer, and refuses values that would change it.
void ParseIgnored(Fields* fields, int num_choices);

// Reads token ids. nullopt: the value is not a list of token ids.
std::optional<std::vector<int32_t>> TokenIds(const nlohmann::ordered_json& value);

// Returns the first error of `fields`, or an error that names a member that was not read. nullopt:
// neither.
std::optional<CallError> ErrorOf(const Fields& fields);

}  // namespace edgegate
