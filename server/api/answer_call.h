// Answers a request. All endpoints that generate text share this code.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/api/answer_writer.h"
#include "server/api/services.h"
#include "server/api/warnings.h"
#include "server/call/call.h"
#include "server/call/call_error.h"
#include "server/http/exchange.h"

namespace edgegate {

// A parsed request.
struct ParsedCall {
  Call call;
  bool stream = false;
  // Makes the writer of the answer. `model` and `generation` outlive it.
  std::function<std::unique_ptr<AnswerWriter>(const ServedModel& model,
                                              const Generation& generation)>
      make_writer;
  // Makes the answer of a request that generates nothing. Empty: the call generates text.
  std::function<std::string(const ServedModel& model)> answer;
  Warnings warnings = {};  // for the log; the writer has its own copy
  int64_t kept_bytes = 0;  // memory that the writer holds until the answer ends
};

// Parses the body of a request of one protocol. Has no side effects.
using ParseCall = std::function<std::variant<ParsedCall, CallError>(std::string_view body)>;

// Reads the request's body, parses it, and answers with what the model generates. Runs on the
// connection's thread. Returns when the answer is complete, or, for a stream, when it has begun.
void AnswerCall(const ApiServices& services, const ParseCall& parse, Exchange& exchange);

// Returns the token ids of the call's first prompt, with the places of its images. Runs no model.
std::variant<std::vector<int32_t>, CallError> EncodePrompt(const ApiServices& services, Call call,
                                                           const ServedModel& model,
                                                           Exchange& exchange);

// Reads and parses the request's body, and answers with what `answer` writes for the number of
// tokens of the prompt. Runs no model.
void AnswerCount(const ApiServices& services, const ParseCall& parse, Exchange& exchange,
                 std::string (*answer)(int tokens));

}  // namespace edgegate
