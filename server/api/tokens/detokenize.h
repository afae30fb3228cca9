// POST /detokenize: the text of token ids, in the shapes of vLLM and of llama.cpp.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/api/services.h"
#include "server/api/warnings.h"
#include "server/call/call_error.h"
#include "server/http/router.h"

namespace edgegate {

void AddDetokenize(const ApiServices& services, Router* router);

struct DetokenizeRequest {
  std::string model;  // may be empty
  std::vector<int32_t> tokens;
  Warnings warnings;
};

// Reads a request's body. The error names the member. Pure.
std::variant<DetokenizeRequest, CallError> ParseDetokenize(std::string_view body);

}  // namespace edgegate
