#include "server/http/server.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <nlohmann/json.hpp>

#include "server/http/server_impl.h"
#include "server/openai/response.h"

namespace edgegate {
namespace {

using httplib::Request;
using httplib::Response;
using json = nlohmann::ordered_json;

constexpr size_t kModelsPrefix = sizeof("/v1/models/") - 1;

// What a handler threw is logged, never shown.
void AnswerException(const Request& req, Response& res, const std::exception_ptr& failure) {
  ApiError error{500, "internal error", "server_error", "", "internal_error"};
  std::string what = "unknown";
  try {
    std::rethrow_exception(failure);
  } catch (const std::bad_alloc&) {
    what = "out of memory";
    error = FromStatus(Unavailable("the server has no memory for this request"));
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
  }
  spdlog::error("{} {}: {}", req.method, req.path, what);
  Answer(res, error);
}

// Of a model that is loaded.
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
          {"guessed_tokens", m.guessed_tokens},
          {"guessed_right", m.guessed_right},
          {"images_encoded", m.images_encoded},
          {"image_cache_hits", m.image_cache_hits},
          {"image_cache_bytes", m.image_cache_bytes}};
}

}  // namespace

void HttpServer::Impl::Health(Response& res) const {
  // Before the snapshot, which then has every model that is loaded here.
  const auto entries = options.catalog->entries();
  const EngineSnapshot snapshot = options.engine->snapshot();
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
  const char* status = draining           ? "draining"
                       : snapshot.stuck() ? "stuck"
                       : failing          ? "failing"
                       : loading          ? "loading"
                                          : "ok";
  res.status = std::strcmp(status, "ok") == 0 ? 200 : 503;
  const json health = {{"status", status}, {"models", std::move(models)}};
  res.set_content(health.dump(), "application/json");
}

GenerateOptions HttpServer::Impl::Generation() const {
  return {.images = options.images,
          .request_timeout_s = options.request_timeout_s,
          .memory = options.memory,
          .engine = options.engine,
          .catalog = options.catalog};
}

// The gate lets only known paths and methods through.
void HttpServer::Impl::Routes() {
  http.Get("/health", [this](const Request&, Response& res) { Health(res); });
  http.Get("/v1/models", [this](const Request&, Response& res) {
    res.set_content(ModelListJson(options.catalog->ready()), "application/json");
  });
  http.Get("/v1/models/id", [this](const Request&, Response& res) {
    const std::string name = Connection::Current()->head().path.substr(kModelsPrefix);
    const auto model = options.catalog->Find(name);
    if (!model.ok()) return Answer(res, NoModel(model.status()));
    res.set_content(ModelJson(**model), "application/json");
  });
  auto post = [this](const char* path, bool chat) {
    http.Post(path, [this, chat](const Request&, Response& res) {
      AnswerGeneration(Generation(), chat, *Connection::Current(), res);
    });
  };
  post("/v1/chat/completions", true);
  post("/v1/completions", false);
  http.set_exception_handler(AnswerException);
}

HttpServer::HttpServer(ServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {
  const ServerOptions& o = impl_->options;
  using std::chrono::seconds;
  ConnectionLimits limits{.headers = seconds(o.read_timeout_s),
                          .body = seconds(o.body_timeout_s),
                          .pause = seconds(o.read_timeout_s),
                          .write = seconds(o.write_timeout_s),
                          .idle = seconds(o.read_timeout_s),
                          .head = {},
                          .request_body = {}};
  limits.request_body.body_bytes = o.max_body_bytes;
  TableLimits table;
  table.connections = o.max_connections;
  table.per_address = o.max_connections_per_address > 0 ? o.max_connections_per_address
                                                        : std::max(1, o.max_connections / 2);
  impl_->http.Configure(limits, table, [impl = impl_.get()](Connection& connection) {
    return impl->Gate(connection);
  });
  impl_->Routes();
}

HttpServer::~HttpServer() = default;

Status HttpServer::Bind() { return impl_->http.Open(impl_->options.host, impl_->options.port); }

int HttpServer::port() const { return impl_->http.bound_port(); }

void HttpServer::Run() { impl_->http.Run(); }

void HttpServer::StartDraining() { impl_->draining = true; }

void HttpServer::Stop() { impl_->http.Stop(); }

}  // namespace edgegate
