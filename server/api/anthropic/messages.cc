#include "server/api/anthropic/messages.h"

#include <nlohmann/json.hpp>

#include "server/api/answer_call.h"
#include "server/api/anthropic/errors.h"
#include "server/api/anthropic/request.h"
#include "server/api/json/dump.h"

namespace edgegate {
namespace {

std::string WriteCount(int tokens) { return DumpJson(nlohmann::json{{"input_tokens", tokens}}); }

}  // namespace

void AddMessages(const ApiServices& services, Router* router) {
  router->Add(
      {.method = "POST",
       .path = "/v1/messages",
       .scope = Scope::kApi,
       .summary = "The model's next message, in the shape of Anthropic's API.",
       .api = "anthropic/messages",
       .error_body = AnthropicErrorBody,
       .handle = [&](Exchange& exchange) { AnswerCall(services, ParseMessageRequest, exchange); }});
  router->Add({.method = "POST",
               .path = "/v1/messages/count_tokens",
               .scope = Scope::kApi,
               .summary = "The number of tokens of a request to /v1/messages.",
               .api = "anthropic/count_tokens",
               .error_body = AnthropicErrorBody,
               .handle = [&](Exchange& exchange) {
                 AnswerCount(services, ParseCountRequest, exchange, WriteCount);
               }});
}

}  // namespace edgegate
