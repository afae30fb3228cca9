// POST /embeddings and /embedding, in the shape of llama.cpp's server.
#pragma once

#include <string_view>
#include <variant>

#include "server/api/answer_embedding.h"
#include "server/http/router.h"

namespace edgegate {

void AddLlamaEmbeddings(const ApiServices& services, Router* router);

// Reads a request's body. Every member's type and range is checked. The error names the member.
// Pure.
std::variant<ParsedEmbedding, CallError> ParseLlamaEmbeddings(std::string_view body);

}  // namespace edgegate
