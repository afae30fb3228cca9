// POST /api/embed and POST /api/embeddings, in the shape of Ollama's API.
#pragma once

#include <string_view>
#include <variant>

#include "server/api/answer_embedding.h"
#include "server/http/router.h"

namespace edgegate {

void AddOllamaEmbed(const ApiServices& services, Router* router);

// Each reads a request's body and checks every member's type and range. The error names the member.
std::variant<ParsedEmbedding, CallError> ParseOllamaEmbed(std::string_view body);
// The older request has one `prompt`.
std::variant<ParsedEmbedding, CallError> ParseOllamaEmbeddings(std::string_view body);

}  // namespace edgegate
