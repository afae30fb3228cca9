// Ollama's endpoints that generate text: /api/chat and /api/generate.
#pragma once

#include "server/api/services.h"
#include "server/http/router.h"

namespace edgegate {

// Adds the routes.
void AddOllamaGenerate(const ApiServices& services, Router* router);

}  // namespace edgegate
