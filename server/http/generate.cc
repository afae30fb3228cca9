#include "server/http/generate.h"

#include "server/http/connection.h"
#include "server/media/image_loader.h"
#include "server/openai/response.h"

namespace edgegate {
namespace {

using httplib::Response;
using Clock = std::chrono::steady_clock;

constexpr auto kClientCheck = std::chrono::milliseconds(20);
constexpr auto kMemoryWait = std::chrono::seconds(3);
// Every connection may have a body of so many bytes without a lease.
constexpr size_t kFreeBody = 64 << 10;
// The body, its JSON values, and the messages in the form that templates take.
constexpr int64_t kCopiesOfBody = 3;

// One request on its way.
struct Exchange {
  const GenerateOptions& options;
  const Caller& caller;
  const bool chat;
  Response& res;
  MemoryBudget::Lease lease;
};

// The body; nullopt when the response says why there is none. It is read here, since httplib bounds
// those that curl calls a form (its default) at 8 KB.
std::optional<std::string> ReadBody(Exchange* exchange, const httplib::ContentReader& content) {
  const GenerateOptions& options = exchange->options;
  std::string body;
  Status memory;
  const bool whole = content([&](const char* data, size_t size) {
    body.append(data, size);
    const int64_t needed =
        body.size() > kFreeBody ? kCopiesOfBody * static_cast<int64_t>(body.size()) : 0;
    if (needed > exchange->lease.bytes()) {
      memory = exchange->lease.Grow(needed - exchange->lease.bytes(), Clock::now() + kMemoryWait);
    }
    return memory.ok() && body.size() <= options.max_body_bytes;
  });
  if (whole) return body;
  if (!memory.ok()) {
    AnswerError(exchange->res, FromStatus(memory));
  } else if (exchange->res.status < 400) {
    exchange->res.status = body.size() > options.max_body_bytes ? 413 : 400;
  }
  return std::nullopt;
}

// Memory that a choice's news take until the whole answer is written: a log-probability becomes a
// JSON object with an array of bytes.
int64_t BytesOf(const ChoiceEvent& event) {
  constexpr int64_t kToken = 64, kLogprob = 1024;
  int64_t bytes = static_cast<int64_t>(event.text.size());
  for (const SampledToken& token : event.tokens) {
    bytes += kToken + kLogprob * static_cast<int64_t>(token.top.size());
  }
  return bytes;
}

void Whole(Exchange* exchange, const ApiRequest& request, const ServedModel& model,
           Generation& generation) {
  constexpr int64_t kFree = 256 << 10, kPiece = 64 << 10;
  ResponseWriter writer(request, model, generation);
  int64_t collected = 0;
  while (!generation.done() && !Connection::Current()->gone()) {
    auto event = generation.Next(Clock::now() + kClientCheck);
    if (generation.error()) return AnswerError(exchange->res, *generation.error());
    if (!event) continue;
    collected += BytesOf(*event);
    if (collected > kFree && collected > exchange->lease.bytes()) {
      const Status grown = exchange->lease.Grow(kPiece + collected - exchange->lease.bytes(),
                                                Clock::now() + kMemoryWait);
      if (!grown.ok()) return AnswerError(exchange->res, FromStatus(grown));
    }
    writer.Collect(*event);
  }
  if (generation.done()) exchange->res.set_content(writer.Answer(), "application/json");
}

// Sends the stream's events until it is done. False: the client has left.
bool SendEvents(const ApiRequest& request, const ServedModel& model, Generation& generation,
                httplib::DataSink& sink) {
  ResponseWriter writer(request, model, generation);
  auto send = [&](const std::string& data) {
    if (data.empty()) return true;
    const std::string event = "data: " + data + "\n\n";
    return sink.write(event.data(), event.size());
  };
  bool alive = true;
  for (const std::string& chunk : writer.FirstChunks()) alive = alive && send(chunk);
  while (alive && !generation.done()) {
    if (auto event = generation.Next(Clock::now() + kClientCheck)) {
      if (generation.error()) {
        send(ErrorJson(*generation.error()));
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
  if (request.include_usage) send(writer.UsageChunk());
  send("[DONE]");
  sink.done();
  return true;
}

void Stream(Response& res, const std::shared_ptr<ApiRequest>& request, const ServedModel& model,
            const std::shared_ptr<Generation>& generation) {
  res.set_header("Cache-Control", "no-cache");
  res.set_chunked_content_provider(
      "text/event-stream", [request, &model, generation](size_t, httplib::DataSink& sink) {
        return SendEvents(*request, model, *generation, sink);
      });
}

void Generate(Exchange* exchange, ApiRequest parsed) {
  const GenerateOptions& options = exchange->options;
  auto fail = [&](const ApiError& error) { AnswerError(exchange->res, error); };
  auto request = std::make_shared<ApiRequest>(std::move(parsed));
  request->tenant = exchange->caller.tenant;
  request->client = exchange->caller.client;
  const ServedModel* model = options.find_model(request->model);
  if (model == nullptr) {
    return fail({404, fmt::format("The model '{}' does not exist.", request->model),
                 "invalid_request_error", "model", "model_not_found"});
  }
  std::optional<Clock::time_point> deadline;
  if (options.request_timeout_s > 0) {
    deadline = Clock::now() + std::chrono::seconds(options.request_timeout_s);
  }
  Connection* connection = Connection::Current();
  const JobContext context{request->client, [connection] { return connection->gone(); }};
  if (auto error = Generation::CheckFirst(*request, *model)) return fail(*error);
  if (auto error = CheckImages(request->images, *model)) return fail(*error);
  auto images = LoadImages(request->images, *model, options.images, context);
  if (const auto* error = std::get_if<ApiError>(&images)) return fail(*error);
  request->images.clear();
  std::unique_ptr<Generation> generation;
  if (auto error =
          Generation::Start(*request, *model, std::get<std::vector<PromptImage>>(std::move(images)),
                            options.engine, deadline, context, &generation)) {
    return fail(*error);
  }
  // What the engine keeps is bounded by the context. The messages are of no more use.
  request->messages_json = std::string();
  request->grammar.reset();
  exchange->lease.Release();
  if (request->stream) return Stream(exchange->res, request, *model, std::move(generation));
  Whole(exchange, *request, *model, *generation);
}

}  // namespace

void AnswerError(Response& res, const ApiError& error) {
  res.status = error.http_status;
  if (error.http_status == 429 || error.http_status == 503) res.set_header("Retry-After", "1");
  if (error.http_status == 401) res.set_header("WWW-Authenticate", "Bearer");
  res.set_content(ErrorJson(error), "application/json");
}

void AnswerGeneration(const GenerateOptions& options, bool chat, const Caller& caller,
                      const httplib::ContentReader& content, Response& res) {
  Exchange exchange{options, caller, chat, res, options.memory->MakeLease()};
  auto body = ReadBody(&exchange, content);
  if (!body) return;
  auto parsed = ParseRequest(*body, chat, RequestLimits{});
  body.reset();
  if (const auto* error = std::get_if<ApiError>(&parsed)) return AnswerError(res, *error);
  Generate(&exchange, std::get<ApiRequest>(std::move(parsed)));
}

}  // namespace edgegate
