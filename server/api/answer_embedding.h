// Answers a request for embeddings. The endpoints that compute embeddings share this code.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "server/api/services.h"
#include "server/api/warnings.h"
#include "server/call/call_error.h"
#include "server/call/embedding_call.h"
#include "server/http/exchange.h"

namespace edgegate {

// A parsed request.
struct ParsedEmbedding {
  EmbeddingCall call;
  // Returns the body of the answer.
  std::function<std::string(const ServedModel& model, const EmbeddingResult& result)> write;
  // Returns about the number of bytes of that body.
  std::function<int64_t(int width)> bytes;
  Warnings warnings = {};  // for the log; the writer has its own copy
  bool any_model = false;  // without a name: the only embedding model
};

// Parses the body of a request of one protocol. Has no side effects.
using ParseEmbeddingCall = std::variant<ParsedEmbedding, CallError> (*)(std::string_view body);

// Reads the request's body, parses it, and answers. Runs on the connection's thread.
void AnswerEmbedding(const ApiServices& services, ParseEmbeddingCall parse, Exchange& exchange);

}  // namespace edgegate
