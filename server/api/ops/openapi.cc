#include "server/api/ops/openapi.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "engine/base/version.h"
#include "server/api/openai/errors.h"
#include "server/http/exchange.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

// Returns the name of the path's parameter, such as "model" for "{model}". Empty: there is none.
std::string ParameterOf(const std::string& path) {
  const size_t open = path.find('{');
  if (open == std::string::npos) return {};
  return path.substr(open + 1, path.find('}', open) - open - 1);
}

json Operation(const Route& route) {
  json operation = {{"summary", route.summary}};
  if (const std::string parameter = ParameterOf(route.path); !parameter.empty()) {
    operation["parameters"] = {{{"name", parameter},
                                {"in", "path"},
                                {"required", true},
                                {"schema", {{"type", "string"}}}}};
  }
  if (route.method == "POST") {
    operation["requestBody"] = {
        {"required", true},
        {"content", {{"application/json", {{"schema", {{"type", "object"}}}}}}}};
  }
  if (route.scope == Scope::kPublic) operation["security"] = json::array();
  operation["responses"] = {{"200", {{"description", "The answer."}}},
                            {"default", {{"description", "An error, in the protocol's shape."}}}};
  return operation;
}

std::string Describe(const Router& router) {
  json paths = json::object();
  for (const Route& route : router.routes()) {
    std::string method = route.method;
    std::transform(method.begin(), method.end(), method.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    paths[route.path][method] = Operation(route);
  }
  const json description = {
      {"openapi", "3.1.0"},
      {"info", {{"title", "edgegate"}, {"version", Version()}}},
      {"paths", std::move(paths)},
      {"components",
       {{"securitySchemes", {{"api_key", {{"type", "http"}, {"scheme", "bearer"}}}}}}},
      {"security", {{{"api_key", json::array()}}}}};
  return description.dump(2);
}

}  // namespace

void AddOpenApi(Router* router) {
  Route route{.method = "GET",
              .path = "/openapi.json",
              .scope = Scope::kApi,
              .summary = "This description of the API.",
              .error_body = OpenAiErrorBody,
              .handle = {}};
  Router described = *router;
  described.Add(route);
  route.handle = [text = Describe(described)](Exchange& exchange) { exchange.Answer(text); };
  router->Add(std::move(route));
}

}  // namespace edgegate
