#include "server/http/server.h"

#include <httplib.h>
#include <openssl/crypto.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "server/generation.h"
#include "server/http/connection.h"
#include "server/media/image_loader.h"
#include "server/openai/errors.h"
#include "server/openai/request.h"
#include "server/openai/response.h"

namespace edgegate {
namespace {

using httplib::Request;
using httplib::Response;
using Clock = std::chrono::steady_clock;

constexpr auto kClientCheck = std::chrono::milliseconds(20);

void Answer(Response& res, const ApiError& error) {
  res.status = error.http_status;
  if (error.http_status == 429 || error.http_status == 503) res.set_header("Retry-After", "1");
  if (error.http_status == 401) res.set_header("WWW-Authenticate", "Bearer");
  res.set_content(ErrorJson(error), "application/json");
}

std::string Event(const std::string& data) { return "data: " + data + "\n\n"; }

}  // namespace

struct HttpServer::Impl {
  explicit Impl(ServerOptions o) : options(std::move(o)), loader(options.images) {}

  const ServerOptions options;
  ImageLoader loader;
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
  void Generate(const std::string& body, std::string tenant, Response& res, bool chat);
  void Stream(Response& res, const std::shared_ptr<ApiRequest>& request, const ServedModel& model,
              const std::shared_ptr<Generation>& generation);
  void Whole(Response& res, const ApiRequest& request, const ServedModel& model,
             Generation& generation);
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

httplib::Server::HandlerResponse HttpServer::Impl::Gate(const Request& req, Response& res) const {
  if (!Tenant(req)) {
    Answer(res,
           {401, "Incorrect API key provided.", "authentication_error", "", "invalid_api_key"});
    return httplib::Server::HandlerResponse::Handled;
  }
  if (req.path != "/health" && (!ready || draining)) {
    Answer(res, FromStatus(Unavailable("{}", draining ? "the server is shutting down"
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
  bool failing = snapshot.failed_steps_in_row >= 3;
  for (const auto& m : snapshot.models) failing = failing || !m.failure.empty();
  const char* status = snapshot.stuck() ? "stuck" : failing ? "failing" : "ok";
  res.status = snapshot.stuck() || failing ? 503 : 200;
  res.set_content(fmt::format("{{\"status\":\"{}\",\"models\":[{}]}}", status, list),
                  "application/json");
}

void HttpServer::Impl::Generate(const std::string& body, std::string tenant, Response& res,
                                bool chat) {
  auto parsed = ParseRequest(body, chat, RequestLimits{});
  if (const auto* error = std::get_if<ApiError>(&parsed)) return Answer(res, *error);
  auto request = std::make_shared<ApiRequest>(std::get<ApiRequest>(std::move(parsed)));
  request->tenant = std::move(tenant);
  const ServedModel* model = Find(request->model);
  if (model == nullptr) {
    return Answer(res, {404, fmt::format("The model '{}' does not exist.", request->model),
                        "invalid_request_error", "model", "model_not_found"});
  }
  std::optional<Clock::time_point> deadline;
  if (options.request_timeout_s > 0) {
    deadline = Clock::now() + std::chrono::seconds(options.request_timeout_s);
  }
  auto images = loader.Load(request->images, *model);
  if (const auto* error = std::get_if<ApiError>(&images)) return Answer(res, *error);
  request->images.clear();
  std::unique_ptr<Generation> generation;
  if (auto error =
          Generation::Start(*request, *model, std::get<std::vector<PromptImage>>(std::move(images)),
                            engine, deadline, &generation)) {
    return Answer(res, *error);
  }
  if (request->stream) return Stream(res, request, *model, std::move(generation));
  Whole(res, *request, *model, *generation);
}

void HttpServer::Impl::Whole(Response& res, const ApiRequest& request, const ServedModel& model,
                             Generation& generation) {
  ResponseWriter writer(request, model, generation);
  while (!generation.done() && !Connection::Current()->gone()) {
    if (auto event = generation.Next(Clock::now() + kClientCheck)) writer.Collect(*event);
    if (generation.error()) return Answer(res, *generation.error());
  }
  if (generation.done()) res.set_content(writer.Answer(), "application/json");
}

void HttpServer::Impl::Stream(Response& res, const std::shared_ptr<ApiRequest>& request,
                              const ServedModel& model,
                              const std::shared_ptr<Generation>& generation) {
  res.set_header("Cache-Control", "no-cache");
  res.set_chunked_content_provider(
      "text/event-stream", [request, &model, generation](size_t, httplib::DataSink& sink) {
        ResponseWriter writer(*request, model, *generation);
        auto send = [&](const std::string& data) {
          if (data.empty()) return true;
          const std::string event = Event(data);
          return sink.write(event.data(), event.size());
        };
        bool alive = true;
        for (const std::string& chunk : writer.FirstChunks()) alive = alive && send(chunk);
        while (alive && !generation->done()) {
          if (auto event = generation->Next(Clock::now() + kClientCheck)) {
            if (generation->error()) {
              send(ErrorJson(*generation->error()));
              sink.done();
              return true;
            }
            alive = send(writer.Chunk(*event));
          } else {
            // A client that left between two tokens is told by the second one's failure.
            alive = !Connection::Current()->gone();
          }
        }
        if (!alive) return false;
        if (request->include_usage) send(writer.UsageChunk());
        send("[DONE]");
        sink.done();
        return true;
      });
}

void HttpServer::Impl::Routes() {
  http.Get("/health", [this](const Request&, Response& res) { Health(res); });
  http.Get("/v1/models", [this](const Request&, Response& res) {
    res.set_content(ModelListJson(models), "application/json");
  });
  http.Get(R"(/v1/models/(.+))", [this](const Request& req, Response& res) {
    const ServedModel* model = Find(req.matches[1]);
    if (model != nullptr) return res.set_content(ModelJson(*model), "application/json");
    Answer(res, {404, fmt::format("The model '{}' does not exist.", req.matches[1].str()),
                 "invalid_request_error", "model", "model_not_found"});
  });
  // The body is read here, since httplib bounds those that curl calls a form (its default) at 8 KB.
  auto post = [this](const char* path, bool chat) {
    http.Post(path, [this, chat](const Request& req, Response& res,
                                 const httplib::ContentReader& content) {
      std::string body;
      const bool whole = content([&](const char* data, size_t size) {
        body.append(data, size);
        return body.size() <= options.max_body_bytes;
      });
      if (whole) return Generate(body, Tenant(req).value_or(""), res, chat);
      if (res.status < 400) {
        res.status = body.size() > options.max_body_bytes ? 413 : 400;
      }
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
    Answer(res, error);
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
        Answer(res, FromStatus(Internal("internal error")));
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
