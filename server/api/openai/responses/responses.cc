#include "server/api/openai/responses/responses.h"

#include <memory>
#include <nlohmann/json.hpp>

#include "server/api/answer_call.h"
#include "server/api/endpoint.h"
#include "server/api/json/dump.h"
#include "server/api/openai/errors.h"
#include "server/api/openai/responses/input_items.h"
#include "server/api/openai/responses/request.h"
#include "server/api/openai/responses/store.h"

namespace edgegate {
namespace {

using nlohmann::json;

void FailNotFound(Exchange& exchange) {
  exchange.Fail(
      ToHttp({NotFound("Response with id '{}' not found.", exchange.parameter().substr(0, 100)),
              "response_id"}));
}

void AnswerStored(const ResponseStore& store, Exchange& exchange) {
  const auto found = store.Find(exchange.caller().tenant, exchange.parameter());
  if (found == nullptr) return FailNotFound(exchange);
  exchange.Answer(found->answer);
}

void AnswerInputItems(const ResponseStore& store, Exchange& exchange) {
  const auto found = store.Find(exchange.caller().tenant, exchange.parameter());
  if (found == nullptr) return FailNotFound(exchange);
  const auto list = ListInputItems(*found, exchange.head().query);
  if (const auto* error = std::get_if<CallError>(&list)) return exchange.Fail(ToHttp(*error));
  exchange.Answer(DumpJson(std::get<nlohmann::ordered_json>(list)));
}

void DeleteStored(ResponseStore* store, Exchange& exchange) {
  const std::string& id = exchange.parameter();
  if (!store->Delete(exchange.caller().tenant, id)) return FailNotFound(exchange);
  exchange.Answer(DumpJson(json{{"id", id}, {"object", "response"}, {"deleted", true}}));
}

}  // namespace

void AddResponses(const ApiServices& services, Router* router) {
  const auto store = std::make_shared<ResponseStore>();
  router->Add({.method = "POST",
               .path = "/v1/responses",
               .scope = Scope::kApi,
               .summary = "The model's answer to items, whole or as a stream of events.",
               .api = "openai/responses/responses",
               .error_body = OpenAiErrorBody,
               .handle = [&services, store](Exchange& exchange) {
                 const auto parse = [&](std::string_view body) {
                   return ParseResponse(body, exchange.caller(), store.get());
                 };
                 AnswerCall(services, parse, exchange);
               }});
  router->Add({.method = "GET",
               .path = "/v1/responses/{response}",
               .scope = Scope::kApi,
               .summary = "A stored response.",
               .api = "openai/responses/stored_response",
               .error_body = OpenAiErrorBody,
               .handle = [store](Exchange& exchange) { AnswerStored(*store, exchange); }});
  router->Add({.method = "GET",
               .path = "/v1/responses/{response}/input_items",
               .scope = Scope::kApi,
               .summary = "A page of the input items of a stored response.",
               .api = "openai/responses/input_items",
               .error_body = OpenAiErrorBody,
               .handle = [store](Exchange& exchange) { AnswerInputItems(*store, exchange); }});
  router->Add({.method = "DELETE",
               .path = "/v1/responses/{response}",
               .scope = Scope::kApi,
               .summary = "Deletes a stored response.",
               .api = "openai/responses/deleted_response",
               .error_body = OpenAiErrorBody,
               .handle = [store](Exchange& exchange) { DeleteStored(store.get(), exchange); }});
}

}  // namespace edgegate
