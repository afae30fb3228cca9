#include "server/api/openai/models.h"

#include <nlohmann/json.hpp>

#include "server/api/endpoint.h"
#include "server/api/json/dump.h"
#include "server/api/openai/errors.h"
#include "server/http/exchange.h"

namespace edgegate {
namespace {

using nlohmann::json;

json ModelObject(const ServedModel& model) {
  return {{"id", model.name},
          {"object", "model"},
          {"created", model.created},
          {"owned_by", "edgegate"},
          {"max_model_len", model.limits.max_model_len}};
}

void AnswerList(const ApiServices& services, Exchange& exchange) {
  json data = json::array();
  for (const ServedModel* model : services.catalog->ready()) data.push_back(ModelObject(*model));
  exchange.Answer(DumpJson(json{{"object", "list"}, {"data", data}}));
}

void AnswerModel(const ApiServices& services, Exchange& exchange) {
  const auto model = services.catalog->Find(exchange.parameter());
  if (!model.ok()) return exchange.Fail(ToHttp(NoModel(model.status())));
  exchange.Answer(DumpJson(ModelObject(**model)));
}

}  // namespace

void AddModels(const ApiServices& services, Router* router) {
  router->Add({.method = "GET",
               .path = "/v1/models",
               .scope = Scope::kApi,
               .summary = "The models that are loaded.",
               .error_body = OpenAiErrorBody,
               .handle = [&](Exchange& exchange) { AnswerList(services, exchange); }});
  router->Add({.method = "GET",
               .path = "/v1/models/{model}",
               .scope = Scope::kApi,
               .summary = "One model.",
               .error_body = OpenAiErrorBody,
               .handle = [&](Exchange& exchange) { AnswerModel(services, exchange); }});
}

}  // namespace edgegate
