// Ollama's endpoints about models.
#pragma once

#include "server/api/services.h"
#include "server/http/router.h"

namespace edgegate {

// Adds version, tags, ps and show, and pull, delete, embed and embeddings, which answer with what
// is possible.
void AddOllamaModels(const ApiServices& services, Router* router);

}  // namespace edgegate
