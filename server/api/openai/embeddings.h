// POST /v1/embeddings.
#pragma once

#include <string_view>
#include <variant>

#include "server/api/answer_embedding.h"
#include "server/http/router.h"

namespace edgegate {

void AddEmbeddings(const ApiServices& services, Router* router);

// Reads a request's body. Every member's type and range is checked. The error names the member.
// Pure.
std::variant<ParsedEmbedding, CallError> ParseEmbeddings(std::string_view body);

}  // namespace edgegate
