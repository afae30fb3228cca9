// Parses requests of /v1/responses.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/access/caller.h"
#include "server/api/answer_call.h"
#include "server/api/openai/responses/store.h"

namespace edgegate {

// The part of a request that only the writer of the answer needs.
struct ResponseOptions {
  bool stream = false;
  bool logprobs = false;
  bool store = true;
  std::string tenant;              // whose responses are stored
  std::vector<std::string> input;  // items of all turns, to be stored; empty: nothing is stored
  nlohmann::ordered_json echo;     // members of the answer that repeat the request
  Warnings warnings;
};

// Parses the body. `store` has the responses that `previous_response_id` and item references name,
// and must outlive the result. Thread-safe.
std::variant<ParsedCall, CallError> ParseResponse(std::string_view body, const Caller& caller,
                                                  ResponseStore* store);

}  // namespace edgegate
