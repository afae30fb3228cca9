// The description of the API: every route has its schemas, and every reference has a target.
#include "server/api/ops/openapi.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "server/api/ops/api_files.h"
#include "server/api/routes.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

json Described() { return json::parse(DescribeApi(MakeRoutes({}))); }

void FindReferences(const json& value, std::set<std::string>* found) {
  if (!value.is_structured()) return;
  for (const auto& [key, item] : value.items()) {
    if (key == "$ref" && item.is_string()) found->insert(item.get<std::string>());
    FindReferences(item, found);
  }
}

TEST_CASE("every route names a file, and every file of an endpoint is named") {
  std::set<std::string_view> files, named;
  for (const ApiFile& file : ApiFiles()) {
    files.insert(file.name);
    // Files without answers have schemas for others.
    if (!json::parse(file.text).contains("answers")) named.insert(file.name);
  }
  const Router router = MakeRoutes({});
  for (const Route& route : router.routes()) {
    CAPTURE(route.path);
    CHECK(files.contains(route.api));
    named.insert(route.api);
  }
  CHECK(named == files);
}

TEST_CASE("files have known members only, and no schema has two definitions") {
  const std::set<std::string> members = {"request", "query", "answers", "errors", "schemas"};
  std::set<std::string> schemas;
  for (const ApiFile& file : ApiFiles()) {
    CAPTURE(file.name);
    const json content = json::parse(file.text);
    for (const auto& [name, value] : content.items()) CHECK(members.contains(name));
    const json defined = content.value("schemas", json::object());
    for (const auto& item : defined.items()) {
      const std::string name = item.key();
      CAPTURE(name);
      CHECK(schemas.insert(name).second);
    }
  }
}

TEST_CASE("every reference has a target, and every schema is used") {
  const json api = Described();
  std::set<std::string> references;
  FindReferences(api, &references);
  for (const std::string& reference : references) {
    CAPTURE(reference);
    REQUIRE(reference.starts_with("#"));
    CHECK(api.contains(json::json_pointer(reference.substr(1))));
  }
  // Events of streams are named in texts.
  const std::set<std::string> events = {"ChatCompletionChunk"};
  for (const auto& item : api["components"]["schemas"].items()) {
    const std::string name = item.key();
    CAPTURE(name);
    CHECK((events.contains(name) || references.contains("#/components/schemas/" + name)));
  }
}

TEST_CASE("an operation has its answers, the errors of its route and their shape") {
  const json api = Described();
  const json& chat = api["paths"]["/v1/chat/completions"]["post"];
  CHECK(chat["requestBody"]["content"].contains("application/json"));
  CHECK(chat["responses"]["200"]["content"].contains("text/event-stream"));
  for (const char* status :
       {"400", "401", "403", "404", "411", "413", "415", "429", "503", "504"}) {
    CAPTURE(status);
    CHECK(chat["responses"].contains(status));
  }
  CHECK(chat["responses"]["400"]["$ref"] == "#/components/responses/OpenAiError400");
  const json& messages = api["paths"]["/v1/messages"]["post"]["responses"];
  CHECK(messages["400"]["$ref"] == "#/components/responses/AnthropicError400");
  const json& tags = api["paths"]["/api/tags"]["get"]["responses"];
  CHECK(tags["400"]["$ref"] == "#/components/responses/OllamaError400");
  CHECK_FALSE(tags.contains("413"));
  const json& health = api["paths"]["/health"]["get"];
  CHECK(health["security"].empty());
  CHECK_FALSE(health["responses"].contains("401"));
  CHECK(health["responses"]["503"]["content"]["application/json"]["schema"]["anyOf"].size() == 2);
  const json& props = api["paths"]["/props"]["get"]["parameters"][0];
  CHECK(props["in"] == "query");
  CHECK(props["name"] == "model");
}

}  // namespace
}  // namespace edgegate
