#include "server/api/answer_call.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/call/generation.h"
#include "server/call/image_loader.h"
#include "server/http/framing.h"

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;
using Lease = MemoryBudget::Lease;

constexpr auto kClientCheck = std::chrono::milliseconds(20);
// A client that has ended its sending half looks as if it had left. After this time a few bytes are
// sent to test it. Some clients end their sending half on purpose and wait for the answer. The time
// is long enough for a short answer.
constexpr auto kAnswerPatience = std::chrono::milliseconds(400);
// Proxies and clients end a stream that is silent for long, often after 30 or 60 seconds.
constexpr auto kHeartbeat = std::chrono::seconds(10);
constexpr auto kJobPatience = std::chrono::milliseconds(80);
// A body of up to this many bytes needs no lease.
constexpr size_t kFreeBody = 64 << 10;
// Copies of a body in memory: the body, its JSON values, and the messages.
constexpr int64_t kCopiesOfBody = 3;

// Returns the memory that an event takes until the whole answer is written. A log-probability
// becomes a JSON object with an array of bytes.
int64_t BytesOf(const ChoiceEvent& event) {
  constexpr int64_t kToken = 64, kLogprob = 1024;
  int64_t bytes = static_cast<int64_t>(event.text.size());
  for (const SampledToken& token : event.tokens) {
    bytes += kToken + kLogprob * static_cast<int64_t>(token.top.size());
  }
  return bytes;
}

// Returns what the access log tells about an answer.
std::string NoteOf(const ServedModel& model, const Generation& generation) {
  const GenerationUsage& usage = generation.usage();
  const RequestTimings& timings = usage.timings;
  return fmt::format(
      "{}, {} prompt tokens ({} cached), {} completion tokens, first token after {:.1f} ms",
      model.name, usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens,
      1000 * (timings.queue_s + timings.encode_s + timings.prefill_s));
}

void AnswerWhole(Exchange& exchange, Generation& generation, AnswerWriter& writer, Lease* lease) {
  constexpr int64_t kFree = 256 << 10, kPiece = 64 << 10;
  int64_t collected = 0;
  writer.Begin();
  while (!generation.done() && !exchange.gone(kAnswerPatience)) {
    const auto event = generation.Next(Clock::now() + kClientCheck);
    if (generation.error()) return exchange.Fail(ToHttp(*generation.error()));
    if (!event) continue;
    collected += BytesOf(*event);
    if (collected > kFree && collected > lease->bytes()) {
      const Status grown =
          lease->Grow(kPiece + collected - lease->bytes(), Clock::now() + MemoryBudget::kWait);
      if (!grown.ok()) return exchange.Fail(ToHttp({grown}));
    }
    writer.Delta(*event);
  }
  if (!generation.done()) return exchange.Abandon();
  exchange.Answer(writer.End(), 200, writer.content_type());
}

// Sends a stream until it is done. False: the client has left.
bool SendStream(Generation& generation, AnswerWriter& writer, StreamSink& sink) {
  bool alive = sink.Write(writer.Begin());
  auto written = Clock::now();
  while (alive && !generation.done()) {
    const auto event = generation.Next(Clock::now() + kClientCheck);
    if (generation.error()) {
      sink.Write(writer.Fail(ToHttp(*generation.error())));
      return true;
    }
    const auto now = Clock::now();
    if (event || now - written >= kHeartbeat) {
      written = now;
      alive = sink.Write(event ? writer.Delta(*event) : std::string(writer.heartbeat()));
    } else {
      // If the client has left, the write of the second token from then on fails. While no token
      // comes, a heartbeat is sent: a closed socket answers it with a reset.
      alive = !sink.gone(kAnswerPatience, writer.heartbeat());
    }
  }
  return alive && sink.Write(writer.End());
}

// Does all work before the request is submitted to the engine. An error is the answer to the
// client.
std::variant<std::unique_ptr<Generation>, CallError> StartCall(const ApiServices& services,
                                                               Call call, const ServedModel& model,
                                                               Exchange& exchange) {
  std::optional<Clock::time_point> deadline;
  if (services.request_timeout_s > 0) {
    deadline = Clock::now() + std::chrono::seconds(services.request_timeout_s);
  }
  const JobContext context{call.caller.client, [&] { return exchange.gone(kJobPatience); }};
  if (auto error = Generation::CheckFirst(call, model)) return *std::move(error);
  if (auto error = CheckImages(call.images, model)) return *std::move(error);
  const Status admitted = services.engine->CheckAdmission(model.engine_index, call.caller.client,
                                                          call.num_choices * call.num_prompts());
  if (!admitted.ok()) return CallError{admitted};
  auto images = LoadImages(call.images, model, services.images, context);
  if (const auto* error = std::get_if<CallError>(&images)) return *error;
  call.images.clear();
  return Generation::Start(std::move(call), model,
                           std::get<std::vector<PromptMedia>>(std::move(images)), services.engine,
                           deadline, context);
}

}  // namespace

HttpError ToHttp(const CallError& error) {
  const auto answer = [&](int status, const char* code) {
    return HttpError{status, error.status.message(), error.field,
                     error.code.empty() ? code : error.code};
  };
  switch (error.status.code()) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kUnimplemented:
      return answer(400, "");
    case StatusCode::kNotFound:
      return answer(404, "");
    case StatusCode::kResourceExhausted:
      return answer(429, "rate_limit_exceeded");
    case StatusCode::kDataLoss:  // a model's file was damaged while it was served
    case StatusCode::kUnavailable:
      return answer(503, "unavailable");
    case StatusCode::kDeadlineExceeded:
      return answer(504, "timeout");
    default:
      spdlog::error("internal error: {}", error.status.message());
      return answer(500, "internal_error");
  }
}

CallError NoModel(const Status& status) {
  if (status.code() != StatusCode::kNotFound) return {status};
  return {status, "model", "model_not_found"};
}

std::variant<std::string, HttpError> ReadBody(Exchange& exchange, Lease* lease) {
  std::string body;
  const auto reserve = [&](size_t size) -> std::optional<HttpError> {
    const int64_t needed = size > kFreeBody ? kCopiesOfBody * static_cast<int64_t>(size) : 0;
    const int64_t more = needed - lease->bytes();
    if (more <= 0) return std::nullopt;
    const Status grown = lease->Grow(more, Clock::now() + MemoryBudget::kWait);
    return grown.ok() ? std::nullopt : std::optional(ToHttp({grown}));
  };
  if (auto error = exchange.ReadBody(&body, reserve)) return *std::move(error);
  return body;
}

std::variant<const ServedModel*, CallError> ModelFor(const ApiServices& services,
                                                     const std::string& name,
                                                     const Exchange& exchange) {
  const std::string& wanted = name.empty() ? exchange.parameter() : name;
  if (wanted.empty()) {
    return BadField("model", "you must provide a model parameter", "missing_required_parameter");
  }
  const auto found = services.catalog->Find(wanted);
  if (!found.ok()) return NoModel(found.status());
  return *found;
}

void AnswerCall(const ApiServices& services, ParseCall parse, Exchange& exchange) {
  Lease lease = services.memory->MakeLease();
  auto body = ReadBody(exchange, &lease);
  if (const auto* error = std::get_if<HttpError>(&body)) return exchange.Fail(*error);
  auto result = parse(std::get<std::string>(body));
  body = std::string();
  if (const auto* error = std::get_if<CallError>(&result)) return exchange.Fail(ToHttp(*error));
  auto& parsed = std::get<ParsedCall>(result);
  parsed.call.caller = exchange.caller();
  const auto found = ModelFor(services, parsed.call.model, exchange);
  if (const auto* error = std::get_if<CallError>(&found)) return exchange.Fail(ToHttp(*error));
  const ServedModel& model = *std::get<const ServedModel*>(found);
  parsed.call.model = model.name;
  auto started = StartCall(services, std::move(parsed.call), model, exchange);
  if (const auto* error = std::get_if<CallError>(&started)) return exchange.Fail(ToHttp(*error));
  std::shared_ptr<Generation> generation =
      std::get<std::unique_ptr<Generation>>(std::move(started));
  std::shared_ptr<AnswerWriter> writer = parsed.make_writer(model, *generation);
  // The engine's memory for the request is bounded by the context length. It needs no lease.
  lease.Release();
  if (!parsed.stream) {
    AnswerWhole(exchange, *generation, *writer, &lease);
    return exchange.Note(NoteOf(model, *generation));
  }
  exchange.Stream(writer->content_type(), [generation, writer, &model](StreamSink& sink) {
    const bool alive = SendStream(*generation, *writer, sink);
    sink.Note(NoteOf(model, *generation));
    return alive;
  });
}

}  // namespace edgegate
