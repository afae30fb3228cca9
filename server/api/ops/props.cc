#include "server/api/ops/props.h"

#include <nlohmann/json.hpp>

#include "engine/base/version.h"
#include "server/api/endpoint.h"
#include "server/api/json/dump.h"
#include "server/api/openai/errors.h"
#include "server/http/request_target.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

// Returns the sampling parameters of a request that sets none. -1: no limit, or a random seed.
json DefaultParameters(const GenerationDefaults& defaults) {
  return {{"n_predict", -1},
          {"max_tokens", -1},
          {"seed", -1},
          {"temperature", defaults.temperature.value_or(1.0f)},
          {"top_k", defaults.top_k.value_or(0)},
          {"top_p", defaults.top_p.value_or(1.0f)},
          {"min_p", defaults.min_p.value_or(0.0f)},
          {"repeat_penalty", defaults.repetition_penalty.value_or(1.0f)},
          {"presence_penalty", 0.0},
          {"frequency_penalty", 0.0},
          {"ignore_eos", false},
          {"stream", false}};
}

json Props(const ServedModel& model) {
  const TemplateFacts& facts = model.text->template_facts();
  const bool tools = model.text->traits().calls != nullptr;
  return {{"default_generation_settings",
           {{"n_ctx", model.limits.max_model_len}, {"params", DefaultParameters(model.defaults)}}},
          {"total_slots", model.facts.max_sequences},
          {"model_alias", model.name},
          {"model_path", model.name},
          {"chat_template", facts.source},
          {"chat_template_caps",
           {{"supports_tools", tools},
            {"supports_tool_calls", tools},
            {"supports_parallel_tool_calls", tools}}},
          {"modalities", {{"vision", model.limits.media != nullptr}, {"audio", false}}},
          {"bos_token", facts.bos_token},
          {"eos_token", facts.eos_token},
          {"build_info", fmt::format("edgegate-{}", Version())}};
}

void AnswerProps(const ApiServices& services, Exchange& exchange) {
  const std::string name = QueryParameter(exchange.head().query, "model").value_or("");
  const auto found = ModelOrOnly(services, name, exchange);
  if (const auto* error = std::get_if<CallError>(&found)) return exchange.Fail(ToHttp(*error));
  exchange.Answer(DumpJson(Props(*std::get<const ServedModel*>(found))));
}

}  // namespace

void AddProps(const ApiServices& services, Router* router) {
  router->Add({.method = "GET",
               .path = "/props",
               .scope = Scope::kApi,
               .summary = "One model and its default settings, in llama.cpp's shape.",
               .api = "ops/props",
               .error_body = OpenAiErrorBody,
               .handle = [&](Exchange& exchange) { AnswerProps(services, exchange); }});
}

}  // namespace edgegate
