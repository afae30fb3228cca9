// POST /v1/rerank, in the form that Cohere, Jina and vLLM share. The score of a document is the
// cosine of its embedding and the query's.
#pragma once

#include <string_view>
#include <variant>

#include "server/api/answer_embedding.h"
#include "server/http/router.h"

namespace edgegate {

void AddRerank(const ApiServices& services, Router* router);

// Reads a request's body. Every member's type and range is checked. The error names the member.
// Pure.
std::variant<ParsedEmbedding, CallError> ParseRerank(std::string_view body);

}  // namespace edgegate
