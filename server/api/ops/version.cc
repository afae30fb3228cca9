#include "server/api/ops/version.h"

#include <fmt/format.h>

#include "engine/base/version.h"
#include "server/api/openai/errors.h"
#include "server/http/exchange.h"

namespace edgegate {

void AddVersion(Router* router) {
  router->Add({.method = "GET",
               .path = "/version",
               .scope = Scope::kPublic,
               .summary = "The version of edgegate.",
               .api = "ops/version",
               .error_body = OpenAiErrorBody,
               .handle = [](Exchange& exchange) {
                 exchange.Answer(fmt::format(R"({{"version":"{}"}})", Version()));
               }});
}

}  // namespace edgegate
