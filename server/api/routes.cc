#include "server/api/routes.h"

#include "server/api/anthropic/messages.h"
#include "server/api/llamacpp/embeddings.h"
#include "server/api/ollama/embed.h"
#include "server/api/ollama/generate.h"
#include "server/api/ollama/models.h"
#include "server/api/openai/chat_completions.h"
#include "server/api/openai/completions.h"
#include "server/api/openai/decisions/decisions.h"
#include "server/api/openai/embeddings.h"
#include "server/api/openai/errors.h"
#include "server/api/openai/models.h"
#include "server/api/openai/responses/responses.h"
#include "server/api/ops/health.h"
#include "server/api/ops/openapi.h"
#include "server/api/ops/page.h"
#include "server/api/ops/props.h"
#include "server/api/ops/version.h"
#include "server/api/rerank/rerank.h"
#include "server/api/tokens/detokenize.h"
#include "server/api/tokens/tokenize.h"

namespace edgegate {

Router MakeRoutes(const ApiServices& services) {
  Router router(OpenAiErrorBody);
  AddHealth(services, &router);
  AddPage(services, &router);
  AddModels(services, &router);
  AddChatCompletions(services, &router);
  AddCompletions(services, &router);
  AddResponses(services, &router);
  AddMessages(services, &router);
  AddOllamaGenerate(services, &router);
  AddOllamaModels(services, &router);
  AddOllamaEmbed(services, &router);
  AddEmbeddings(services, &router);
  AddDecisions(services, &router);
  AddRerank(services, &router);
  AddLlamaEmbeddings(services, &router);
  AddTokenize(services, &router);
  AddDetokenize(services, &router);
  AddProps(services, &router);
  AddVersion(&router);
  // Azure's clients. The name of a deployment is that of a model.
  router.AddAlias("/openai/deployments/{model}", "/v1");
  router.AddAlias("/openai/v1", "/v1");
  AddOpenApi(&router);  // last: describes the others
  return router;
}

}  // namespace edgegate
