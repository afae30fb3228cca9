#include "server/api/ops/health.h"

#include <cstring>
#include <nlohmann/json.hpp>

#include "engine/base/version.h"
#include "server/api/openai/errors.h"
#include "server/http/exchange.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

// Describes a model that is loaded.
json ModelHealth(const std::string& name, const EngineSnapshot::Model& m) {
  return {{"name", name},
          {"status", m.failure.empty() ? "ok" : "failing"},
          {"running", m.running},
          {"waiting", m.waiting},
          {"kv_blocks_total", m.blocks_total},
          {"kv_blocks_free", m.blocks_free},
          {"draft_kv_blocks_total", m.draft_blocks_total},
          {"draft_kv_blocks_free", m.draft_blocks_free},
          {"preemptions", m.preemptions},
          {"prompt_tokens", m.prompt_tokens},
          {"cached_tokens", m.cached_tokens},
          {"generated_tokens", m.generated_tokens},
          {"draft_n", m.draft_tokens},
          {"draft_n_accepted", m.accepted_tokens},
          {"texts_encoded", m.texts_encoded},
          {"images_encoded", m.images_encoded},
          {"image_cache_hits", m.image_cache_hits},
          {"image_cache_bytes", m.image_cache_bytes}};
}

void AnswerHealth(const ApiServices& services, Exchange& exchange) {
  // Read before the snapshot, so that the snapshot has every model that is loaded here.
  const auto entries = services.catalog->entries();
  const EngineSnapshot snapshot = services.engine->snapshot();
  json models = json::array();
  bool loading = false, failing = snapshot.failed_steps_in_row >= 3;
  for (const auto& [name, model] : entries) {
    json entry = {{"name", name}, {"status", "loading"}};
    if (model != nullptr) {
      const auto& stats = snapshot.models[static_cast<size_t>(model->engine_index)];
      entry = ModelHealth(name, stats);
      failing = failing || !stats.failure.empty();
    }
    loading = loading || model == nullptr;
    models.push_back(std::move(entry));
  }
  const char* status = *services.draining ? "draining"
                       : snapshot.stuck() ? "stuck"
                       : failing          ? "failing"
                       : loading          ? "loading"
                                          : "ok";
  const json health = {{"status", status}, {"version", Version()}, {"models", std::move(models)}};
  exchange.Answer(health.dump(), std::strcmp(status, "ok") == 0 ? 200 : 503);
}

}  // namespace

void AddHealth(const ApiServices& services, Router* router) {
  // LocalAI's clients and Kubernetes use the second path.
  for (const char* path : {"/health", "/readyz"}) {
    router->Add({.method = "GET",
                 .path = path,
                 .scope = Scope::kPublic,
                 .summary = "The state of the daemon and of its models.",
                 .api = "ops/health",
                 .error_body = OpenAiErrorBody,
                 .handle = [&](Exchange& exchange) { AnswerHealth(services, exchange); }});
  }
}

}  // namespace edgegate
