// Answers requests to /v1/chat/completions and /v1/completions: from a body to the engine, and from
// its tokens back to a whole answer or a stream of events.
#pragma once

#include <httplib.h>

#include <functional>
#include <memory>
#include <string>

#include "scheduler/engine_loop.h"
#include "server/access/memory_budget.h"
#include "server/catalog/model_catalog.h"
#include "server/http/connection.h"
#include "server/media/fetch.h"
#include "server/openai/errors.h"
#include "server/openai/request.h"

namespace edgegate {

// What answers need beyond the request. Its parts outlive every request.
struct GenerateOptions {
  FetchOptions images;
  int request_timeout_s = 0;  // 0: none
  MemoryBudget* memory = nullptr;
  EngineLoop* engine = nullptr;
  const ModelCatalog* catalog = nullptr;
};

// The answer to a request for a model that ModelCatalog::Find() does not give.
ApiError NoModel(const Status& status);

// Fills `res` with an error in the API's shape.
void Answer(httplib::Response& res, const ApiError& error);

// Reads the body of the connection's request and answers it. Runs on the connection's thread until
// the answer is complete, or, for a stream, until it has begun.
void AnswerGeneration(const GenerateOptions& options, bool chat, Connection& connection,
                      httplib::Response& res);

}  // namespace edgegate
