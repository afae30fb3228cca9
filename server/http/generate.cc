// The endpoints that generate text.

#include "server/http/server_impl.h"
#include "server/openai/request.h"
#include "server/openai/response.h"

namespace edgegate {
namespace {

using httplib::Response;
using Clock = std::chrono::steady_clock;

constexpr auto kClientCheck = std::chrono::milliseconds(20);
// How long a client may look as if it had left before that is tested with a few bytes. Long enough
// for a short answer to a client that ends its sending half, which then sees nothing but the answer.
constexpr auto kPatience = std::chrono::milliseconds(400);

std::string Event(const std::string& data) { return "data: " + data + "\n\n"; }

// HTTP/1.0 knows no chunks: the end of the connection ends the stream.
void SetStream(Response& res, httplib::ContentProviderWithoutLength provider) {
  Connection& connection = *Connection::Current();
  if (connection.head().minor_version > 0) {
    res.set_chunked_content_provider("text/event-stream", std::move(provider));
    return;
  }
  connection.Close();
  res.set_content_provider("text/event-stream", std::move(provider));
}

}  // namespace

void HttpServer::Impl::Generate(const std::string& body, const Caller& caller, Response& res,
                                bool chat) {
  auto parsed = ParseRequest(body, chat, RequestLimits{});
  if (const auto* error = std::get_if<ApiError>(&parsed)) return Answer(res, *error);
  auto request = std::make_shared<ApiRequest>(std::get<ApiRequest>(std::move(parsed)));
  request->tenant = caller.tenant;
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
  while (!generation.done() && !Connection::Current()->gone(kPatience)) {
    if (auto event = generation.Next(Clock::now() + kClientCheck)) writer.Collect(*event);
    if (generation.error()) return Answer(res, *generation.error());
  }
  if (generation.done()) return res.set_content(writer.Answer(), "application/json");
  Connection::Current()->Close();
}

void HttpServer::Impl::Stream(Response& res, const std::shared_ptr<ApiRequest>& request,
                              const ServedModel& model,
                              const std::shared_ptr<Generation>& generation) {
  res.set_header("Cache-Control", "no-cache");
  SetStream(res, [request, &model, generation](size_t, httplib::DataSink& sink) {
    ResponseWriter writer(*request, model, *generation);
    auto send = [&](const std::string& data) {
      if (data.empty()) return true;
      const std::string event = Event(data);
      return sink.write(event.data(), event.size());
    };
    // A comment, which clients skip: a closed socket answers it with a reset.
    auto probe = [&] { sink.write(":\n\n", 3); };
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
        alive = !Connection::Current()->gone(kPatience, probe);
      }
    }
    if (!alive) return false;
    if (request->include_usage) send(writer.UsageChunk());
    send("[DONE]");
    sink.done();
    return true;
  });
}

}  // namespace edgegate
