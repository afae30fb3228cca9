// POST /v1/embeddings.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/api/answer_embedding.h"
#include "server/api/json/fields.h"
#include "server/http/router.h"

namespace edgegate {

void AddEmbeddings(const ApiServices& services, Router* router);

// Reads the texts of a request, or their token ids, from the member `name`. Errors go to `fields`.
std::vector<EmbeddingInput> ParseEmbeddingInputs(Fields* fields, const std::string& name);

// Reads a request's body. Every member's type and range is checked. The error names the member.
// Pure.
std::variant<ParsedEmbedding, CallError> ParseEmbeddings(std::string_view body);

}  // namespace edgegate
