#include "server/api/ops/openapi.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>

#include "engine/base/version.h"
#include "server/api/anthropic/errors.h"
#include "server/api/json/dump.h"
#include "server/api/ollama/errors.h"
#include "server/api/openai/errors.h"
#include "server/api/ops/api_files.h"
#include "server/http/exchange.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

// The shapes of errors, and the names of their schemas.
struct ErrorShape {
  ErrorBody write;
  const char* schema;
};
constexpr ErrorShape kShapes[] = {{OpenAiErrorBody, "OpenAiError"},
                                  {AnthropicErrorBody, "AnthropicError"},
                                  {OllamaErrorBody, "OllamaError"}};

// The requests that may get an error.
enum class Whose {
  kAll,
  kApi,     // those of routes that need a key
  kBody,    // those with a body
  kListed,  // those of routes whose files list the status
};

struct ErrorStatus {
  int status;
  Whose whose;
  const char* description;
};
constexpr ErrorStatus kErrors[] = {
    {400, Whose::kAll, "The request is wrong or exceeds a limit."},
    {401, Whose::kApi, "The API key is missing or wrong."},
    {403, Whose::kAll, "The host or the origin is not allowed."},
    {404, Whose::kListed, "There is no such model or object."},
    {408, Whose::kAll, "The request came too slowly."},
    {411, Whose::kBody, "The length of the body is missing."},
    {413, Whose::kBody, "The body is too large."},
    {414, Whose::kAll, "The request line is too long."},
    {415, Whose::kBody, "The type or the encoding of the body is not supported."},
    {417, Whose::kAll, "The expectation is not supported."},
    {429, Whose::kListed, "The queue is full."},
    {431, Whose::kAll, "The header fields are too long."},
    {500, Whose::kAll, "An internal error."},
    {503, Whose::kAll, "The server is loading, shutting down or overloaded."},
    {504, Whose::kListed, "The request took too long."},
};

const char* SchemaOf(const Route& route) {
  const auto* shape = std::find_if(std::begin(kShapes), std::end(kShapes),
                                   [&](const auto& one) { return one.write == route.error_body; });
  return shape == std::end(kShapes) ? kShapes[0].schema : shape->schema;
}

std::string ResponseName(const char* schema, int status) {
  return fmt::format("{}{}", schema, status);
}

json Reference(const char* kind, const std::string& name) {
  return {{"$ref", fmt::format("#/components/{}/{}", kind, name)}};
}

// Returns the name of the path's parameter, such as "model" for "{model}". Empty: there is none.
std::string ParameterOf(const std::string& path) {
  const size_t open = path.find('{');
  if (open == std::string::npos) return {};
  return path.substr(open + 1, path.find('}', open) - open - 1);
}

json Parameters(const Route& route, const json& file) {
  json parameters = json::array();
  if (const std::string name = ParameterOf(route.path); !name.empty()) {
    parameters.push_back({{"name", name},
                          {"in", "path"},
                          {"required", true},
                          {"schema", {{"type", "string"}, {"minLength", 1}}}});
  }
  const json query = file.value("query", json::object());
  for (const auto& [name, schema] : query.items()) {
    parameters.push_back({{"name", name}, {"in", "query"}, {"schema", schema}});
  }
  return parameters;
}

json Content(const json& types) {
  json content = json::object();
  for (const auto& [type, schema] : types.items()) content[type] = {{"schema", schema}};
  return content;
}

bool MayFail(const Route& route, const json& file, const ErrorStatus& error) {
  switch (error.whose) {
    case Whose::kAll:
      return true;
    case Whose::kApi:
      return route.scope == Scope::kApi;
    case Whose::kBody:
      return route.method == "POST" || route.method == "DELETE";
    case Whose::kListed:
      break;
  }
  const json listed = file.value("errors", json::array());
  return std::find(listed.begin(), listed.end(), error.status) != listed.end();
}

json Responses(const Route& route, const json& file) {
  json responses = json::object();
  const json answers = file.value("answers", json::object());
  for (const auto& [status, types] : answers.items()) {
    responses[status] = {{"description", status == "304" ? "The client has it." : "The answer."}};
    if (!types.empty()) responses[status]["content"] = Content(types);
  }
  const char* schema = SchemaOf(route);
  for (const ErrorStatus& error : kErrors) {
    if (!MayFail(route, file, error)) continue;
    const std::string status = std::to_string(error.status);
    if (!responses.contains(status)) {
      responses[status] = Reference("responses", ResponseName(schema, error.status));
      continue;
    }
    // The status has an answer of its own, besides that of the error.
    json& body = responses[status]["content"]["application/json"]["schema"];
    body = json{{"anyOf", json::array({body, Reference("schemas", schema)})}};
  }
  return responses;
}

json Operation(const Route& route, const json& file) {
  json operation = {{"summary", route.summary}};
  if (json parameters = Parameters(route, file); !parameters.empty()) {
    operation["parameters"] = std::move(parameters);
  }
  if (file.contains("request")) {
    operation["requestBody"] = {{"required", true},
                                {"content", Content({{"application/json", file["request"]}})}};
  }
  if (route.scope == Scope::kPublic) operation["security"] = json::array();
  operation["responses"] = Responses(route, file);
  return operation;
}

json Components(const std::map<std::string_view, json>& files) {
  json schemas = json::object(), responses = json::object();
  for (const auto& [name, file] : files) {
    schemas.update(file.value("schemas", json::object()));
  }
  for (const ErrorShape& shape : kShapes) {
    for (const ErrorStatus& error : kErrors) {
      responses[ResponseName(shape.schema, error.status)] = {
          {"description", error.description},
          {"content", Content({{"application/json", Reference("schemas", shape.schema)}})}};
    }
  }
  return {{"schemas", std::move(schemas)},
          {"responses", std::move(responses)},
          {"securitySchemes", {{"api_key", {{"type", "http"}, {"scheme", "bearer"}}}}}};
}

}  // namespace

std::string DescribeApi(const Router& router) {
  std::map<std::string_view, json> files;
  // A route without a file has no schemas.
  files[""] = json::object();
  for (const ApiFile& file : ApiFiles()) files[file.name] = json::parse(file.text);
  json paths = json::object();
  for (const Route& route : router.routes()) {
    std::string method = route.method;
    std::transform(method.begin(), method.end(), method.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    paths[route.path][method] = Operation(route, files.at(route.api));
  }
  return DumpJson(json{{"openapi", "3.1.0"},
                       {"info", {{"title", "edgegate"}, {"version", Version()}}},
                       {"paths", std::move(paths)},
                       {"components", Components(files)},
                       {"security", {{{"api_key", json::array()}}}}});
}

void AddOpenApi(Router* router) {
  Route route{.method = "GET",
              .path = "/openapi.json",
              .scope = Scope::kApi,
              .summary = "This description of the API.",
              .api = "ops/openapi",
              .error_body = OpenAiErrorBody,
              .handle = {}};
  Router described = *router;
  described.Add(route);
  route.handle = [text = DescribeApi(described)](Exchange& exchange) { exchange.Answer(text); };
  router->Add(std::move(route));
}

}  // namespace edgegate
