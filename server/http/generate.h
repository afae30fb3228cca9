// Answers requests to /v1/chat/completions and /v1/completions: from a body to the engine, and from
// its tokens back to a whole answer or a stream of events.
#pragma once

#include <httplib.h>

#include <functional>
#include <memory>
#include <string>

#include "scheduler/engine_loop.h"
#include "server/access/memory_budget.h"
#include "server/generation.h"
#include "server/media/fetch.h"
#include "server/openai/errors.h"
#include "server/openai/request.h"
#include "server/served_model.h"

namespace edgegate {

// Who sends a request.
struct Caller {
  std::string tenant;  // the API key's number; "" where no key is asked for
  std::string client;  // the tenant, or the address where no key is asked for
};

// What answers need beyond the request. Its parts outlive every request.
struct GenerateOptions {
  FetchOptions images;
  int request_timeout_s = 0;  // 0: none
  size_t max_body_bytes = 0;
  MemoryBudget* memory = nullptr;
  EngineLoop* engine = nullptr;
  std::function<const ServedModel*(const std::string&)> find_model;  // null: no such model
};

// Fills the response with an error.
void AnswerError(httplib::Response& res, const ApiError& error);

// Reads a request's body and answers it. Runs on the connection's thread until the answer is
// complete, or, for a stream, until it has begun. Thread-safe.
void AnswerGeneration(const GenerateOptions& options, bool chat, const Caller& caller,
                      const httplib::ContentReader& content, httplib::Response& res);

}  // namespace edgegate
