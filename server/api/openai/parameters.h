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

// Reads a body that is a JSON object.
std::variant<nlohmann::ordered_json, CallError> ReadObject(std::string_view body);

// Each reads members into the call. Errors go to `fields`.
void ParseModel(Fields* fields, Call* call);
// "max_tokens", "max_completion_tokens", at least `least`, and "n".
void ParseLengths(Fields* fields, int64_t least, Call* call);
void ParseSampling(Fields* fields, Call* call);
void ParseStop(Fields* fields, Call* call);
// Reads the output constraint, and the writer's options.
void ParseOutput(Fields* fields, Call* call, OutputOptions* output);
// Reads members that change nothing of the answer, and refuses some that would.
void ParseIgnored(Fields* fields, int num_choices);

// Token ids; nothing where the value is something else.
std::optional<std::vector<int32_t>> TokenIds(const nlohmann::ordered_json& value);

// The first error; or a member that nothing has read; or nothing.
std::optional<CallError> ErrorOf(const Fields& fields);

}  // namespace edgegate
