#include "server/api/ollama/models.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "engine/base/sha256.h"
#include "engine/base/version.h"
#include "server/api/answer_call.h"
#include "server/api/json/dump.h"
#include "server/api/json/fields.h"
#include "server/api/json/json_reader.h"
#include "server/api/ollama/errors.h"
#include "server/api/ollama/parameters.h"
#include "server/api/ollama/writer.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

json Details() {
  return {{"parent_model", ""},
          {"format", "edgegate"},
          {"family", "edgegate"},
          {"families", {"edgegate"}}};
}

// Returns what lists of models say about one. Clients expect a digest: it is that of the name and
// of the time at which the model was loaded.
json Entry(const ServedModel& model) {
  const std::string identity = fmt::format("{} {}", model.name, model.created);
  Sha256 hash;
  hash.Update(identity.data(), identity.size());
  return {{"name", model.name},
          {"model", model.name},
          {"modified_at", OllamaTime(model.created)},
          {"digest", hash.Finish()},
          {"details", Details()}};
}

json Capabilities(const ServedModel& model) {
  if (model.embedding_width > 0) return json::array({"embedding"});
  json list = json::array({"completion"});
  if (model.limits.media) list.push_back("vision");
  if (!model.text->has_chat_template()) return list;
  if (model.text->traits().calls != nullptr) list.push_back("tools");
  if (model.text->traits().reasoning) list.push_back("thinking");
  return list;
}

std::string Tags(const ApiServices& services) {
  json models = json::array();
  for (const ServedModel* model : services.catalog->ready()) models.push_back(Entry(*model));
  return DumpJson(json{{"models", std::move(models)}});
}

std::string Running(const ApiServices& services) {
  // Models stay loaded. Clients expect a time.
  constexpr int64_t kNever = 4102444800;  // 2100-01-01
  json models = json::array();
  for (const ServedModel* model : services.catalog->ready()) {
    json entry = Entry(*model);
    entry.update({{"expires_at", OllamaTime(kNever)},
                  {"size_vram", 0},
                  {"context_length", model->limits.max_model_len}});
    models.push_back(std::move(entry));
  }
  return DumpJson(json{{"models", std::move(models)}});
}

std::string Show(const ServedModel& model) {
  const json capabilities = Capabilities(model);
  // Clients look for these names in the template, to see what the model takes.
  const bool tools = capabilities.dump().find("tools") != std::string::npos;
  const json info = {{"general.architecture", "edgegate"},
                     {"general.basename", model.name},
                     {"edgegate.context_length", model.limits.max_model_len},
                     {"edgegate.embedding_length",
                      model.embedding_width > 0 ? model.embedding_width : model.limits.hidden_size},
                     {"edgegate.vocab_size", model.limits.vocab_size}};
  return DumpJson(json{{"modelfile", "FROM " + model.name},
                       {"parameters", ""},
                       {"template", tools ? "{{ .Messages }}{{ .Tools }}" : "{{ .Messages }}"},
                       {"details", Details()},
                       {"model_info", info},
                       {"capabilities", capabilities},
                       {"modified_at", OllamaTime(model.created)}});
}

// Reads the name of a model, which older clients send as `name`.
std::variant<ParsedCall, CallError> ParseName(std::string_view body) {
  const auto read = ReadObject(body);
  if (const auto* error = std::get_if<CallError>(&read)) return *error;
  Fields fields(std::get<json>(read));
  ParsedCall parsed;
  const auto name = fields.String("model");
  const auto old_name = fields.String("name");
  parsed.call.model = OllamaModelName(name.value_or(old_name.value_or("")));
  if (parsed.call.model.empty()) fields.Fail(MissingField("model"));
  for (const char* known :
       {"verbose", "system", "template", "options", "stream", "insecure", "username", "password"}) {
    fields.Raw(known);
  }
  if (auto error = fields.Finish()) return *std::move(error);
  parsed.warnings = fields.warnings();
  return parsed;
}

std::variant<ParsedCall, CallError> ParseShow(std::string_view body) {
  auto parsed = ParseName(body);
  if (auto* call = std::get_if<ParsedCall>(&parsed)) call->answer = Show;
  return parsed;
}

// A model that is served counts as pulled. No other model can be.
std::variant<ParsedCall, CallError> ParsePull(const ApiServices& services, std::string_view body) {
  auto parsed = ParseName(body);
  auto* call = std::get_if<ParsedCall>(&parsed);
  if (call == nullptr) return parsed;
  const auto found = services.catalog->Find(call->call.model);
  if (!found.ok() && found.status().code() == StatusCode::kNotFound) {
    return BadField("model", fmt::format("The model '{}' is not served, and edgegate downloads no "
                                         "models: put its file into engine.model_dir.",
                                         call->call.model.substr(0, 100)));
  }
  call->answer = [](const ServedModel&) { return std::string("{\"status\":\"success\"}\n"); };
  return parsed;
}

// Adds a route that refuses every request.
void AddRefusal(const char* method, const char* path, const char* summary, std::string message,
                Router* router) {
  router->Add({.method = method,
               .path = path,
               .scope = Scope::kApi,
               .summary = summary,
               .api = "ollama/delete",
               .error_body = OllamaErrorBody,
               .handle = [message = std::move(message)](Exchange& exchange) {
                 exchange.Fail({400, message, "", "unsupported"});
               }});
}

void AddGet(const char* path, const char* api, const char* summary,
            std::function<std::string()> answer, Router* router) {
  router->Add(
      {.method = "GET",
       .path = path,
       .scope = Scope::kApi,
       .summary = summary,
       .api = api,
       .error_body = OllamaErrorBody,
       .handle = [answer = std::move(answer)](Exchange& exchange) { exchange.Answer(answer()); }});
}

void AddPost(const ApiServices& services, const char* path, const char* api, const char* summary,
             ParseCall parse, Router* router) {
  router->Add({.method = "POST",
               .path = path,
               .scope = Scope::kApi,
               .summary = summary,
               .api = api,
               .error_body = OllamaErrorBody,
               .handle = [&services, parse = std::move(parse)](Exchange& exchange) {
                 AnswerCall(services, parse, exchange);
               }});
}

}  // namespace

void AddOllamaModels(const ApiServices& services, Router* router) {
  AddGet(
      "/api/version", "ollama/version", "The version, in the shape of Ollama's API.",
      [] {
        return DumpJson(json{{"version", Version()}});
      },
      router);
  AddGet(
      "/api/tags", "ollama/tags", "The models that are loaded, in the shape of Ollama's API.",
      [&services] { return Tags(services); }, router);
  AddGet(
      "/api/ps", "ollama/tags",
      "The models that are loaded, with their contexts, in Ollama's shape.",
      [&services] { return Running(services); }, router);
  AddPost(services, "/api/show", "ollama/show", "One model and what it can do, in Ollama's shape.",
          ParseShow, router);
  AddPost(
      services, "/api/pull", "ollama/pull",
      "Succeeds for a model that is served. Downloads nothing.",
      [&services](std::string_view body) { return ParsePull(services, body); }, router);
  AddRefusal("DELETE", "/api/delete", "Refuses: models are not deleted over the API.",
             "Models are not deleted over the API: remove the file from engine.model_dir.", router);
}

}  // namespace edgegate
