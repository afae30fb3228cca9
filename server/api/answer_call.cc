#include "server/api/answer_call.h"

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "server/api/endpoint.h"
#include "server/call/generation.h"
#include "server/call/media_loader.h"
#include "server/http/framing.h"

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;
using Lease = MemoryBudget::Lease;

// Returns the memory that an event takes until the whole answer is written. A log-probability
// becomes a JSON object with an array of bytes.
int64_t BytesOf(const ChoiceEvent& event) {
  constexpr int64_t kToken = 64, kLogprob = 1024;
  int64_t bytes = static_cast<int64_t>(event.text.size());
  for (const AnswerPart& part : event.parts) {
    bytes += static_cast<int64_t>(sizeof part + part.text.size());
  }
  for (const SampledToken& token : event.tokens) {
    bytes += kToken + kLogprob * static_cast<int64_t>(token.top.size());
  }
  return bytes;
}

// Returns what the access log tells about an answer.
std::string NoteOf(const ServedModel& model, const Generation& generation,
                   const Warnings& warnings) {
  const GenerationUsage& usage = generation.usage();
  const RequestTimings& timings = usage.timings;
  return fmt::format(
      "{}, {} prompt tokens ({} cached), {} completion tokens, first token after {:.1f} ms{}",
      model.name, usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens,
      1000 * (timings.queue_s + timings.encode_s + timings.prefill_s), WarningsNote(warnings));
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

// Sends a stream until it is done. `heartbeat`: longest silence. False: the client has left.
bool SendStream(Generation& generation, AnswerWriter& writer, Clock::duration heartbeat,
                StreamSink& sink) {
  bool alive = sink.Write(writer.Begin());
  auto written = Clock::now();
  while (alive && !generation.done()) {
    const auto event = generation.Next(Clock::now() + kClientCheck);
    if (generation.error()) {
      sink.Write(writer.Fail(ToHttp(*generation.error())));
      return true;
    }
    const auto now = Clock::now();
    if (event || now - written >= heartbeat) {
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

// Does the work before the prompt is tokenized. An error is the answer to the client.
std::variant<std::vector<PromptMedia>, CallError> PrepareImages(const ApiServices& services,
                                                                Call* call,
                                                                const ServedModel& model,
                                                                const JobContext& context) {
  if (auto error = Generation::CheckFirst(*call, model)) return *std::move(error);
  if (auto error = CheckImages(call->images, model)) return *std::move(error);
  const Status admitted = services.engine->CheckAdmission(model.engine_index, call->caller.client,
                                                          call->num_choices * call->num_prompts());
  if (!admitted.ok()) return CallError{admitted};
  return LoadMedia(call, model, services.images, services.videos, services.memory, context);
}

// Does all work before the request is submitted to the engine. An error is the answer to the
// client.
std::variant<std::unique_ptr<Generation>, CallError> StartCall(const ApiServices& services,
                                                               Call call, const ServedModel& model,
                                                               Exchange& exchange) {
  const JobContext context{call.caller.client, [&] { return exchange.gone(kJobPatience); }};
  auto images = PrepareImages(services, &call, model, context);
  if (const auto* error = std::get_if<CallError>(&images)) return *error;
  return Generation::Start(call, model, std::get<std::vector<PromptMedia>>(std::move(images)),
                           services.engine, DeadlineOf(services), context);
}

// Reads and parses the body. Sets the caller.
std::variant<ParsedCall, HttpError> ReadCall(const ApiServices& services, const ParseCall& parse,
                                             Exchange& exchange, Lease* lease) {
  auto body = ReadBody(exchange, lease);
  if (const auto* error = std::get_if<HttpError>(&body)) return *error;
  auto result = parse(std::get<std::string>(body));
  if (const auto* error = std::get_if<CallError>(&result)) return ToHttp(*error);
  auto& parsed = std::get<ParsedCall>(result);
  if (const auto error = CheckStrict(services, parsed.warnings)) return ToHttp(*error);
  parsed.call.caller = exchange.caller();
  return std::move(parsed);
}

// Writes what the model generates. `kept` holds the writer's memory.
void Generate(const ApiServices& services, ParsedCall parsed, const ServedModel& model,
              Exchange& exchange, Lease* lease, Lease kept) {
  auto started = StartCall(services, std::move(parsed.call), model, exchange);
  if (const auto* error = std::get_if<CallError>(&started)) return exchange.Fail(ToHttp(*error));
  std::shared_ptr<Generation> generation =
      std::get<std::unique_ptr<Generation>>(std::move(started));
  std::shared_ptr<AnswerWriter> writer = parsed.make_writer(model, *generation);
  // The engine's memory for the request is bounded by the context length. It needs no lease.
  lease->Release();
  if (!parsed.stream) {
    AnswerWhole(exchange, *generation, *writer, lease);
    return exchange.Note(NoteOf(model, *generation, parsed.warnings));
  }
  auto held = std::make_shared<Lease>(std::move(kept));
  exchange.Stream(writer->content_type(),
                  [generation, writer, held, warnings = parsed.warnings, &model,
                   heartbeat = services.heartbeat](StreamSink& sink) {
                    const bool alive = SendStream(*generation, *writer, heartbeat, sink);
                    sink.Note(NoteOf(model, *generation, warnings));
                    return alive;
                  });
}

}  // namespace

void AnswerCall(const ApiServices& services, const ParseCall& parse, Exchange& exchange) {
  Lease lease = services.memory->MakeLease();
  auto read = ReadCall(services, parse, exchange, &lease);
  if (const auto* error = std::get_if<HttpError>(&read)) return exchange.Fail(*error);
  auto& parsed = std::get<ParsedCall>(read);
  const auto found = ModelFor(services, parsed.call.model, exchange);
  if (const auto* error = std::get_if<CallError>(&found)) return exchange.Fail(ToHttp(*error));
  const ServedModel& model = *std::get<const ServedModel*>(found);
  parsed.call.model = model.name;
  if (parsed.answer) return exchange.Answer(parsed.answer(model));
  Lease kept = services.memory->MakeLease();
  if (parsed.kept_bytes > 0) {
    const Status grown = kept.Grow(parsed.kept_bytes, Clock::now() + MemoryBudget::kWait);
    if (!grown.ok()) return exchange.Fail(ToHttp({grown}));
  }
  Generate(services, std::move(parsed), model, exchange, &lease, std::move(kept));
}

std::variant<std::vector<int32_t>, CallError> EncodePrompt(const ApiServices& services, Call call,
                                                           const ServedModel& model,
                                                           Exchange& exchange) {
  const JobContext context{call.caller.client, [&] { return exchange.gone(kJobPatience); }};
  auto images = PrepareImages(services, &call, model, context);
  if (const auto* error = std::get_if<CallError>(&images)) return *error;
  return Generation::EncodePrompt(call, model,
                                  std::get<std::vector<PromptMedia>>(std::move(images)), context);
}

void AnswerCount(const ApiServices& services, const ParseCall& parse, Exchange& exchange,
                 std::string (*answer)(int tokens)) {
  Lease lease = services.memory->MakeLease();
  auto read = ReadCall(services, parse, exchange, &lease);
  if (const auto* error = std::get_if<HttpError>(&read)) return exchange.Fail(*error);
  Call& call = std::get<ParsedCall>(read).call;
  const auto found = ModelFor(services, call.model, exchange);
  if (const auto* error = std::get_if<CallError>(&found)) return exchange.Fail(ToHttp(*error));
  const ServedModel& model = *std::get<const ServedModel*>(found);
  const auto ids = EncodePrompt(services, call, model, exchange);
  if (const auto* error = std::get_if<CallError>(&ids)) return exchange.Fail(ToHttp(*error));
  const int count = static_cast<int>(std::get<std::vector<int32_t>>(ids).size());
  exchange.Note(fmt::format("{}, {} prompt tokens{}", model.name, count,
                            WarningsNote(std::get<ParsedCall>(read).warnings)));
  exchange.Answer(answer(count));
}

}  // namespace edgegate
