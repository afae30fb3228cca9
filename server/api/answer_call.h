// Answers a request. All endpoints that generate text share this code.
#pragma once

#include <functional>
#include <memory>
#include <string>
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

// Parses the body of a request of one protocol. Has no side effects.
using ParseCall = std::variant<ParsedCall, CallError> (*)(std::string_view body);

// Converts the error to an HTTP error.
HttpError ToHttp(const CallError& error);

// Makes the error for a failure of ModelCatalog::Find().
CallError NoModel(const Status& status);

// Reads the body and charges it to the lease. An error is the answer to the client.
std::variant<std::string, HttpError> ReadBody(Exchange& exchange, MemoryBudget::Lease* lease);

// Returns the model of this name. An empty name stands for the model in the path.
std::variant<const ServedModel*, CallError> ModelFor(const ApiServices& services,
                                                     const std::string& name,
                                                     const Exchange& exchange);

// Reads the request's body, parses it, and answers with what the model generates. Runs on the
// connection's thread. Returns when the answer is complete, or, for a stream, when it has begun.
void AnswerCall(const ApiServices& services, ParseCall parse, Exchange& exchange);

}  // namespace edgegate
