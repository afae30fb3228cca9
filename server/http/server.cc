#include "server/http/server.h"

#include <httplib.h>
#include <openssl/crypto.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "server/http/connection.h"
#include "server/http/generate.h"
#include "server/openai/errors.h"
#include "server/openai/response.h"

namespace edgegate {
namespace {

using httplib::Request;
using httplib::Response;
}  // namespace

struct HttpServer::Impl {
  explicit Impl(ServerOptions o) : options(std::move(o)) {}

  const ServerOptions options;
  ConnectionServer http;
  int port = 0;
  // Written once, before `ready`.
  EngineLoop* engine = nullptr;
  std::vector<const ServedModel*> models;
  std::atomic<bool> ready{false};
  std::atomic<bool> draining{false};
  std::atomic<bool> ended{false};  // Run() has returned

  void Routes();
  std::optional<std::string> Tenant(const Request& req) const;
  httplib::Server::HandlerResponse Gate(const Request& req, Response& res) const;
  const ServedModel* Find(const std::string& name) const;
  void Health(Response& res) const;
  Caller CallerOf(const Request& req) const;
  GenerateOptions Generation() const;
};

// Who asks: the number of the API key. Empty: nobody in particular, where no key is asked for;
// nullopt: nobody who may.
std::optional<std::string> HttpServer::Impl::Tenant(const Request& req) const {
  if (options.api_keys.empty() || req.path == "/health") return "";
  const std::string header = req.get_header_value("Authorization");
  const std::string prefix = "Bearer ";
  if (!header.starts_with(prefix)) return std::nullopt;
  const std::string given = header.substr(prefix.size());
  std::optional<std::string> found;
  for (size_t i = 0; i < options.api_keys.size(); ++i) {
    const std::string& key = options.api_keys[i];
    if (key.size() == given.size() && CRYPTO_memcmp(key.data(), given.data(), key.size()) == 0) {
      found = std::to_string(i + 1);
    }
  }
  return found;
}

Caller HttpServer::Impl::CallerOf(const Request& req) const {
  Caller caller;
  caller.tenant = Tenant(req).value_or("");
  caller.client = caller.tenant;
  int remote_port = 0;
  if (caller.client.empty()) {
    Connection::Current()->get_remote_ip_and_port(caller.client, remote_port);
  }
  return caller;
}

GenerateOptions HttpServer::Impl::Generation() const {
  return {.images = options.images,
          .request_timeout_s = options.request_timeout_s,
          .max_body_bytes = options.max_body_bytes,
          .memory = options.memory,
          .engine = engine,
          .find_model = [this](const std::string& name) { return Find(name); }};
}

httplib::Server::HandlerResponse HttpServer::Impl::Gate(const Request& req, Response& res) const {
  if (!Tenant(req)) {
    AnswerError(res,
           {401, "Incorrect API key provided.", "authentication_error", "", "invalid_api_key"});
    return httplib::Server::HandlerResponse::Handled;
  }
  if (req.path != "/health" && (!ready || draining)) {
    AnswerError(res, FromStatus(Unavailable("{}", draining ? "the server is shutting down"
                                                      : "the models are still loading")));
    return httplib::Server::HandlerResponse::Handled;
  }
  return httplib::Server::HandlerResponse::Unhandled;
}

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
  const bool failing = snapshot.failed_steps_in_row >= 3;
  res.status = failing ? 503 : 200;
  res.set_content(
      fmt::format("{{\"status\":\"{}\",\"models\":[{}]}}", failing ? "failing" : "ok", list),
      "application/json");
}

void HttpServer::Impl::Routes() {
  http.Get("/health", [this](const Request&, Response& res) { Health(res); });
  http.Get("/v1/models", [this](const Request&, Response& res) {
    res.set_content(ModelListJson(models), "application/json");
  });
  http.Get(R"(/v1/models/(.+))", [this](const Request& req, Response& res) {
    const ServedModel* model = Find(req.matches[1]);
    if (model != nullptr) return res.set_content(ModelJson(*model), "application/json");
    AnswerError(res, {404, fmt::format("The model '{}' does not exist.", req.matches[1].str()),
                 "invalid_request_error", "model", "model_not_found"});
  });
  auto post = [this](const char* path, bool chat) {
    http.Post(path, [this, chat](const Request& req, Response& res,
                                 const httplib::ContentReader& content) {
      AnswerGeneration(Generation(), chat, CallerOf(req), content, res);
    });
  };
  post("/v1/chat/completions", true);
  post("/v1/completions", false);
  http.set_pre_routing_handler([this](const Request& req, Response& res) {
    Connection::Current()->HeadersRead();
    return Gate(req, res);
  });
  // Whatever httplib itself refuses gets a body in the API's shape.
  http.set_error_handler(httplib::Server::HandlerWithResponse([](const Request& req,
                                                                 Response& res) {
    if (!res.body.empty()) return httplib::Server::HandlerResponse::Handled;
    ApiError error{res.status, fmt::format("Invalid request ({}).", res.status),
                   "invalid_request_error", "", ""};
    if (Connection::Current()->late()) {
      error = {408, "The request took too long to arrive.", "invalid_request_error", "", "timeout"};
    } else if (res.status == 404) {
      const bool known = req.path.starts_with("/v1/chat/completions") ||
                         req.path == "/v1/completions" || req.path == "/v1/models" ||
                         req.path == "/health";
      error.http_status = known ? 405 : 404;
      error.message = fmt::format("Invalid URL or method ({} {}).", req.method, req.path);
    } else if (res.status == 413) {
      error.message = "The request body is too large.";
    }
    const int status = error.http_status;
    AnswerError(res, error);
    res.status = status;
    return httplib::Server::HandlerResponse::Handled;
  }));
  http.set_exception_handler(
      [](const Request& req, Response& res, const std::exception_ptr& failure) {
        std::string what = "unknown";
        try {
          std::rethrow_exception(failure);
        } catch (const std::exception& e) {
          what = e.what();
        } catch (...) {
        }
        spdlog::error("{} {}: {}", req.method, req.path, what);
        AnswerError(res, FromStatus(Internal("internal error")));
      });
}

HttpServer::HttpServer(ServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {
  const ServerOptions& o = impl_->options;
  impl_->http.new_task_queue = [limit = o.max_connections] { return new ConnectionThreads(limit); };
  impl_->http.set_payload_max_length(o.max_body_bytes);
  using std::chrono::seconds;
  impl_->http.SetLimits({.headers = seconds(o.read_timeout_s),
                         .body = seconds(o.body_timeout_s),
                         .pause = seconds(o.read_timeout_s),
                         .write = seconds(o.write_timeout_s),
                         .idle = seconds(o.read_timeout_s)});
  impl_->http.set_tcp_nodelay(true);
  impl_->Routes();
}

HttpServer::~HttpServer() = default;

Status HttpServer::Bind() {
  Impl& s = *impl_;
  if (s.options.port == 0) {
    s.port = s.http.bind_to_any_port(s.options.host);
  } else if (s.http.bind_to_port(s.options.host, s.options.port)) {
    s.port = s.options.port;
  }
  if (s.port <= 0) {
    return Unavailable("cannot listen on {}:{}: {}", s.options.host, s.options.port,
                       std::strerror(errno));
  }
  s.http.WidenBacklog();
  return {};
}

int HttpServer::port() const { return impl_->port; }

void HttpServer::Run() {
  impl_->http.listen_after_bind();
  impl_->ended = true;
}

void HttpServer::SetReady(EngineLoop* engine, std::vector<const ServedModel*> models) {
  impl_->engine = engine;
  impl_->models = std::move(models);
  impl_->ready = true;
}

void HttpServer::StartDraining() { impl_->draining = true; }

void HttpServer::Stop() {
  // httplib forgets a stop that comes before its loop has begun.
  while (!impl_->http.is_running() && !impl_->ended) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  impl_->http.stop();
}

}  // namespace edgegate
