// From a request's body to its answer, for every endpoint that generates text.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <variant>

#include "server/api/answer_writer.h"
#include "server/api/services.h"
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
};

// Reads a protocol's request. Pure.
using ParseCall = std::variant<ParsedCall, CallError> (*)(std::string_view body);

// The error as HTTP tells it.
HttpError ToHttp(const CallError& error);

// Answers for a model that ModelCatalog::Find() does not give.
CallError NoModel(const Status& status);

// Reads the request's body, parses it, and answers with what the model generates. Runs on the
// connection's thread until the answer is complete, or, for a stream, until it has begun.
void AnswerCall(const ApiServices& services, ParseCall parse, Exchange& exchange);

}  // namespace edgegate
