#include "server/http/generate.h"

#include "server/generation.h"
#include "server/media/image_loader.h"
#include "server/openai/response.h"

namespace edgegate {
namespace {

using httplib::Response;
using Clock = std::chrono::steady_clock;

constexpr auto kClientCheck = std::chrono::milliseconds(20);
// How long a client may look as if it had left before that is tested with a few bytes. While it
// waits for an answer: long enough for a short one, to a client that ends its sending half and then
// sees nothing but the answer.
constexpr auto kAnswerPatience = std::chrono::milliseconds(400);
constexpr auto kJobPatience = std::chrono::milliseconds(80);
// Every connection may have a body of so many bytes without a lease.
constexpr size_t kFreeBody = 64 << 10;
// The body, its JSON values, and the messages in the form that templates take.
constexpr int64_t kCopiesOfBody = 3;

// One request on its way.
struct Exchange {
  const GenerateOptions& options;
  Connection& connection;
  const bool chat;
  Response& res;
  MemoryBudget::Lease lease;
};

// The body; nullopt when the response says why there is none.
std::optional<std::string> ReadBody(Exchange* exchange) {
  std::string body;
  const auto reserve = [&](size_t size) -> std::optional<ApiError> {
    const int64_t needed = size > kFreeBody ? kCopiesOfBody * static_cast<int64_t>(size) : 0;
    const int64_t more = needed - exchange->lease.bytes();
    if (more <= 0) return std::nullopt;
    const Status grown = exchange->lease.Grow(more, Clock::now() + MemoryBudget::kWait);
    return grown.ok() ? std::nullopt : std::optional(FromStatus(grown));
  };
  if (auto error = exchange->connection.ReadBody(&body, reserve)) {
    Answer(exchange->res, *error);
    return std::nullopt;
  }
  return body;
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
  while (!generation.done() && !exchange->connection.gone(kAnswerPatience)) {
    auto event = generation.Next(Clock::now() + kClientCheck);
    if (generation.error()) return Answer(exchange->res, *generation.error());
    if (!event) continue;
    collected += BytesOf(*event);
    if (collected > kFree && collected > exchange->lease.bytes()) {
      const Status grown = exchange->lease.Grow(kPiece + collected - exchange->lease.bytes(),
                                                Clock::now() + MemoryBudget::kWait);
      if (!grown.ok()) return Answer(exchange->res, FromStatus(grown));
    }
    writer.Collect(*event);
  }
  if (generation.done()) return exchange->res.set_content(writer.Answer(), "application/json");
  exchange->connection.Close();
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
  // A comment, which clients skip: a closed socket answers it with a reset.
  auto probe = [&] { sink.write(":\n\n", 3); };
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
      alive = !Connection::Current()->gone(kAnswerPatience, probe);
    }
  }
  if (!alive) return false;
  if (request.include_usage) send(writer.UsageChunk());
  send("[DONE]");
  sink.done();
  return true;
}

// HTTP/1.0 knows no chunks: the end of the connection ends the stream.
void Stream(Exchange* exchange, const std::shared_ptr<ApiRequest>& request,
            const ServedModel& model, const std::shared_ptr<Generation>& generation) {
  Response& res = exchange->res;
  res.set_header("Cache-Control", "no-cache");
  const auto send = [request, &model, generation](size_t, httplib::DataSink& sink) {
    return SendEvents(*request, model, *generation, sink);
  };
  if (exchange->connection.head().minor_version > 0) {
    return res.set_chunked_content_provider("text/event-stream", send);
  }
  exchange->connection.Close();
  res.set_content_provider("text/event-stream", send);
}

void Generate(Exchange* exchange, ApiRequest parsed) {
  const GenerateOptions& options = exchange->options;
  auto fail = [&](const ApiError& error) { Answer(exchange->res, error); };
  auto request = std::make_shared<ApiRequest>(std::move(parsed));
  request->tenant = exchange->connection.caller().tenant;
  request->client = exchange->connection.caller().client;
  const auto found = options.catalog->Find(request->model);
  if (!found.ok()) return fail(NoModel(found.status()));
  const ServedModel* model = *found;
  std::optional<Clock::time_point> deadline;
  if (options.request_timeout_s > 0) {
    deadline = Clock::now() + std::chrono::seconds(options.request_timeout_s);
  }
  Connection& connection = exchange->connection;
  const JobContext context{request->client, [&] { return connection.gone(kJobPatience); }};
  if (auto error = Generation::CheckFirst(*request, *model)) return fail(*error);
  if (auto error = CheckImages(request->images, *model)) return fail(*error);
  const int sequences = request->n * std::max(1, static_cast<int>(request->prompts.size()));
  const Status admitted =
      options.engine->CheckAdmission(model->engine_index, request->client, sequences);
  if (!admitted.ok()) return fail(FromStatus(admitted));
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
  if (request->stream) return Stream(exchange, request, *model, std::move(generation));
  Whole(exchange, *request, *model, *generation);
}

}  // namespace

ApiError NoModel(const Status& status) {
  if (status.code() != StatusCode::kNotFound) return FromStatus(status);
  return {404, status.message(), "invalid_request_error", "model", "model_not_found"};
}

void Answer(Response& res, const ApiError& error) {
  ShortAnswer answer = MakeShortAnswer(error);
  res.status = answer.status;
  for (const auto& [name, value] : answer.headers) res.set_header(name, value);
  res.set_content(answer.body, "application/json");
}

void AnswerGeneration(const GenerateOptions& options, bool chat, Connection& connection,
                      Response& res) {
  Exchange exchange{options, connection, chat, res, options.memory->MakeLease()};
  auto body = ReadBody(&exchange);
  if (!body) return;
  auto parsed = ParseRequest(*body, chat, RequestLimits{});
  body.reset();
  if (const auto* error = std::get_if<ApiError>(&parsed)) return Answer(res, *error);
  Generate(&exchange, std::get<ApiRequest>(std::move(parsed)));
}

}  // namespace edgegate
