#include "server/http/server.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <new>

#include "server/http/server_impl.h"
#include "server/openai/response.h"

namespace edgegate {
namespace {

using httplib::Request;
using httplib::Response;

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

}  // namespace

const ServedModel* HttpServer::Impl::Find(const std::string& name) const {
  for (const ServedModel* model : models) {
    if (model->name == name) return model;
  }
  return nullptr;
}

void HttpServer::Impl::Health(Response& res) const {
  if (!ready || draining) {
    res.status = 503;
    const char* what = draining ? "draining" : "loading";
    res.set_content(fmt::format("{{\"status\":\"{}\"}}", what), "application/json");
    return;
  }
  const EngineSnapshot snapshot = engine->snapshot();
  std::string list;
  for (size_t i = 0; i < snapshot.models.size(); ++i) {
    const auto& m = snapshot.models[i];
    list += fmt::format(
        "{}{{\"running\":{},\"waiting\":{},\"kv_blocks_total\":{},\"kv_blocks_free\":{},"
        "\"draft_kv_blocks_total\":{},\"draft_kv_blocks_free\":{},"
        "\"preemptions\":{},\"prompt_tokens\":{},\"cached_tokens\":{},\"generated_tokens\":{},"
        "\"guessed_tokens\":{},\"guessed_right\":{},\"images_encoded\":{},"
        "\"image_cache_hits\":{},\"image_cache_bytes\":{}}}",
        i ? "," : "", m.running, m.waiting, m.blocks_total, m.blocks_free, m.draft_blocks_total,
        m.draft_blocks_free, m.preemptions, m.prompt_tokens, m.cached_tokens, m.generated_tokens,
        m.guessed_tokens, m.guessed_right, m.images_encoded, m.image_cache_hits,
        m.image_cache_bytes);
  }
  bool failing = snapshot.failed_steps_in_row >= 3;
  for (const auto& m : snapshot.models) failing = failing || !m.failure.empty();
  const char* status = snapshot.stuck() ? "stuck" : failing ? "failing" : "ok";
  res.status = snapshot.stuck() || failing ? 503 : 200;
  res.set_content(fmt::format("{{\"status\":\"{}\",\"models\":[{}]}}", status, list),
                  "application/json");
}

GenerateOptions HttpServer::Impl::Generation() const {
  return {.images = options.images,
          .request_timeout_s = options.request_timeout_s,
          .memory = options.memory,
          .engine = engine,
          .find_model = [this](const std::string& name) { return Find(name); }};
}

// The gate lets only known paths and methods through.
void HttpServer::Impl::Routes() {
  http.Get("/health", [this](const Request&, Response& res) { Health(res); });
  http.Get("/v1/models", [this](const Request&, Response& res) {
    res.set_content(ModelListJson(models), "application/json");
  });
  http.Get("/v1/models/id", [this](const Request&, Response& res) {
    const std::string name = Connection::Current()->head().path.substr(kModelsPrefix);
    const ServedModel* model = Find(name);
    if (model != nullptr) return res.set_content(ModelJson(*model), "application/json");
    Answer(res, {404, fmt::format("The model '{}' does not exist.", name), "invalid_request_error",
                 "model", "model_not_found"});
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

void HttpServer::SetReady(EngineLoop* engine, std::vector<const ServedModel*> models) {
  impl_->engine = engine;
  impl_->models = std::move(models);
  impl_->ready = true;
}

void HttpServer::StartDraining() { impl_->draining = true; }

void HttpServer::Stop() { impl_->http.Stop(); }

}  // namespace edgegate
