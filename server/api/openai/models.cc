#include "server/api/openai/models.h"

#include <nlohmann/json.hpp>

#include "server/api/endpoint.h"
#include "server/api/json/dump.h"
#include "server/api/openai/errors.h"
#include "server/http/exchange.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

bool TakesImages(const ServedModel& model) { return model.limits.media != nullptr; }
bool Embeds(const ServedModel& model) { return model.embedding_width > 0; }

// Returns the sizes of the model, as llama.cpp names them. Sizes that are not known are left out.
json Sizes(const ServedModel& model) {
  const ModelFacts& facts = model.facts;
  json sizes = {{"n_ctx", model.limits.max_model_len}, {"n_vocab", model.limits.vocab_size}};
  if (facts.trained_context > 0) sizes["n_ctx_train"] = facts.trained_context;
  if (facts.width > 0) sizes["n_embd"] = facts.width;
  if (facts.parameters > 0) sizes["n_params"] = facts.parameters;
  sizes["size"] = facts.weight_bytes;
  return sizes;
}

json ModelObject(const ServedModel& model) {
  json inputs = json::array({"text"});
  if (TakesImages(model)) inputs.push_back("image");
  return {{"id", model.name},
          {"object", "model"},
          {"created", model.created},
          {"owned_by", "edgegate"},
          {"root", model.name},
          {"parent", nullptr},
          {"permission", json::array()},
          {"aliases", json::array()},
          {"tags", json::array()},
          {"max_model_len", model.limits.max_model_len},
          {"architecture",
           {{"input_modalities", std::move(inputs)},
            {"output_modalities", json::array({Embeds(model) ? "embeddings" : "text"})}}},
          {"meta", Sizes(model)}};
}

// Returns the model as llama.cpp lists it beside OpenAI's list.
json LlamaCppEntry(const ServedModel& model) {
  json capabilities = json::array({Embeds(model) ? "embedding" : "completion"});
  if (TakesImages(model)) capabilities.push_back("multimodal");
  return {{"name", model.name},
          {"model", model.name},
          {"type", "model"},
          {"capabilities", std::move(capabilities)}};
}

void AnswerList(const ApiServices& services, Exchange& exchange) {
  json data = json::array(), models = json::array();
  for (const ServedModel* model : services.catalog->ready()) {
    data.push_back(ModelObject(*model));
    models.push_back(LlamaCppEntry(*model));
  }
  exchange.Answer(
      DumpJson(json{{"object", "list"}, {"data", std::move(data)}, {"models", std::move(models)}}));
}

void AnswerModel(const ApiServices& services, Exchange& exchange) {
  const auto model = services.catalog->Find(exchange.parameter());
  if (!model.ok()) return exchange.Fail(ToHttp(NoModel(model.status())));
  exchange.Answer(DumpJson(ModelObject(**model)));
}

}  // namespace

void AddModels(const ApiServices& services, Router* router) {
  // Clients of llama.cpp use no version.
  for (const char* path : {"/v1/models", "/models"}) {
    router->Add({.method = "GET",
                 .path = path,
                 .scope = Scope::kApi,
                 .summary = "The models that are loaded.",
                 .api = "openai/models",
                 .error_body = OpenAiErrorBody,
                 .handle = [&](Exchange& exchange) { AnswerList(services, exchange); }});
  }
  router->Add({.method = "GET",
               .path = "/v1/models/{model}",
               .scope = Scope::kApi,
               .summary = "One model.",
               .api = "openai/model",
               .error_body = OpenAiErrorBody,
               .handle = [&](Exchange& exchange) { AnswerModel(services, exchange); }});
}

}  // namespace edgegate
