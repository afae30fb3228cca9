#include "server/api/ollama/generate.h"

#include "server/api/answer_call.h"
#include "server/api/ollama/errors.h"
#include "server/api/ollama/request.h"

namespace edgegate {

void AddOllamaGenerate(const ApiServices& services, Router* router) {
  router->Add(
      {.method = "POST",
       .path = "/api/chat",
       .scope = Scope::kApi,
       .summary = "The model's next message, in the shape of Ollama's API.",
       .api = "ollama/chat",
       .error_body = OllamaErrorBody,
       .handle = [&](Exchange& exchange) { AnswerCall(services, ParseOllamaChat, exchange); }});
  router->Add(
      {.method = "POST",
       .path = "/api/generate",
       .scope = Scope::kApi,
       .summary = "The answer to a prompt, in the shape of Ollama's API.",
       .api = "ollama/generate",
       .error_body = OllamaErrorBody,
       .handle = [&](Exchange& exchange) { AnswerCall(services, ParseOllamaGenerate, exchange); }});
}

}  // namespace edgegate
