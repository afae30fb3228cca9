#include "server/api/answer_embedding.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "server/api/endpoint.h"

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;

// An answer of up to this many bytes needs no lease.
constexpr int64_t kFree = 256 << 10;

// Returns the name of the only embedding model that is loaded, or an empty text.
std::string OnlyEmbeddingModel(const ApiServices& services) {
  std::string name;
  for (const ServedModel* model : services.catalog->ready()) {
    if (model->embedding_width == 0) continue;
    if (!name.empty()) return {};
    name = model->name;
  }
  return name;
}

void Answer(const ApiServices& services, ParsedEmbedding parsed, MemoryBudget::Lease* lease,
            Exchange& exchange) {
  const auto found = ModelFor(services, parsed.call.model, exchange);
  if (const auto* error = std::get_if<CallError>(&found)) return exchange.Fail(ToHttp(*error));
  const ServedModel& model = *std::get<const ServedModel*>(found);
  if (parsed.call.inputs.empty()) return exchange.Answer(parsed.write(model, {}));
  const int width =
      std::min(parsed.call.dimensions.value_or(model.embedding_width), model.embedding_width);
  // The rows in the engine, the rows of the result, and the text.
  const int64_t rows = std::ssize(parsed.call.inputs) * (model.embedding_width + width);
  const int64_t bytes = rows * static_cast<int64_t>(sizeof(float)) + parsed.bytes(width);
  if (bytes > kFree) {
    const Status grown = lease->Grow(bytes, Clock::now() + MemoryBudget::kWait);
    if (!grown.ok()) return exchange.Fail(ToHttp({grown}));
  }
  const JobContext context{parsed.call.caller.client, [&] { return exchange.gone(kJobPatience); }};
  const size_t texts = parsed.call.inputs.size();
  auto started =
      EmbeddingRun::Start(parsed.call, model, services.engine, DeadlineOf(services), context);
  if (const auto* error = std::get_if<CallError>(&started)) return exchange.Fail(ToHttp(*error));
  parsed.call.inputs = {};
  auto& run = *std::get<std::unique_ptr<EmbeddingRun>>(started);
  while (!run.Wait(Clock::now() + kClientCheck)) {
    if (exchange.gone(kAnswerPatience)) return exchange.Abandon();
  }
  const auto taken = run.Take();
  if (const auto* error = std::get_if<CallError>(&taken)) return exchange.Fail(ToHttp(*error));
  const auto& result = std::get<EmbeddingResult>(taken);
  exchange.Note(fmt::format("{}, {} texts, {} tokens{}", model.name, texts, result.tokens,
                            WarningsNote(parsed.warnings)));
  exchange.Answer(parsed.write(model, result));
}

}  // namespace

void AnswerEmbedding(const ApiServices& services, ParseEmbeddingCall parse, Exchange& exchange) {
  MemoryBudget::Lease lease = services.memory->MakeLease();
  auto body = ReadBody(exchange, &lease);
  if (const auto* error = std::get_if<HttpError>(&body)) return exchange.Fail(*error);
  auto result = parse(std::get<std::string>(body));
  body = std::string();
  if (const auto* error = std::get_if<CallError>(&result)) return exchange.Fail(ToHttp(*error));
  auto& parsed = std::get<ParsedEmbedding>(result);
  if (const auto error = CheckStrict(services, parsed.warnings)) {
    return exchange.Fail(ToHttp(*error));
  }
  if (parsed.any_model && parsed.call.model.empty()) {
    parsed.call.model = OnlyEmbeddingModel(services);
  }
  parsed.call.caller = exchange.caller();
  Answer(services, std::move(parsed), &lease, exchange);
}

}  // namespace edgegate
