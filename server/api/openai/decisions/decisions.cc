#include "server/api/openai/decisions/decisions.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "server/api/endpoint.h"
#include "server/api/json/dump.h"
#include "server/api/json/json_reader.h"
#include "server/api/openai/decisions/input.h"
#include "server/api/openai/errors.h"
#include "server/api/openai/parameters.h"

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;
using json = nlohmann::ordered_json;

// Members that change nothing here.
constexpr const char* kWithoutEffect[] = {"prompt_cache_key", "prompt_cache_options",
                                          "safety_identifier"};

// An answer of up to this many bytes needs no lease.
constexpr int64_t kFree = 256 << 10;

// About the number of bytes of the answer while it is written.
int64_t BytesOf(const ParsedDecision& parsed) {
  constexpr int64_t kNumbers = 256;  // a probability in the engine, in the result and as JSON
  int64_t bytes = 0;
  for (const DecisionQuestion& question : parsed.decision.questions) {
    bytes += kNumbers;
    for (const DecisionOption& option : question.options) {
      bytes += kNumbers + 3 * std::ssize(option.text);
    }
  }
  return bytes;
}

void Answer(const ApiServices& services, const ParsedDecision& parsed, MemoryBudget::Lease* lease,
            Exchange& exchange) {
  const Call& call = parsed.decision.call;
  const auto found = ModelFor(services, call.model, exchange);
  if (const auto* error = std::get_if<CallError>(&found)) return exchange.Fail(ToHttp(*error));
  const ServedModel& model = *std::get<const ServedModel*>(found);
  if (const int64_t bytes = BytesOf(parsed); bytes > kFree) {
    const Status grown = lease->Grow(bytes, Clock::now() + MemoryBudget::kWait);
    if (!grown.ok()) return exchange.Fail(ToHttp({grown}));
  }
  const JobContext context{call.caller.client, [&] { return exchange.gone(kJobPatience); }};
  auto started = DecisionRun::Start(parsed.decision, model, services.images, services.memory,
                                    services.engine, DeadlineOf(services), context);
  if (const auto* error = std::get_if<CallError>(&started)) return exchange.Fail(ToHttp(*error));
  auto& run = *std::get<std::unique_ptr<DecisionRun>>(started);
  while (!run.Wait(Clock::now() + kClientCheck)) {
    if (exchange.gone(kAnswerPatience)) return exchange.Abandon();
  }
  const auto taken = run.Take();
  if (const auto* error = std::get_if<CallError>(&taken)) return exchange.Fail(ToHttp(*error));
  const auto& result = std::get<DecisionResult>(taken);
  exchange.Note(fmt::format("{}, {} questions, {} tokens ({} cached){}", model.name,
                            parsed.shapes.size(), result.input_tokens, result.cached_tokens,
                            WarningsNote(parsed.warnings)));
  exchange.Answer(WriteDecision(parsed, model.name, result));
}

void Handle(const ApiServices& services, Exchange& exchange) {
  MemoryBudget::Lease lease = services.memory->MakeLease();
  auto body = ReadBody(exchange, &lease);
  if (const auto* error = std::get_if<HttpError>(&body)) return exchange.Fail(*error);
  auto result = ParseDecision(std::get<std::string>(body));
  body = std::string();
  if (const auto* error = std::get_if<CallError>(&result)) return exchange.Fail(ToHttp(*error));
  auto& parsed = std::get<ParsedDecision>(result);
  if (const auto error = CheckStrict(services, parsed.warnings)) {
    return exchange.Fail(ToHttp(*error));
  }
  parsed.decision.call.caller = exchange.caller();
  Answer(services, parsed, &lease, exchange);
}

}  // namespace

std::variant<ParsedDecision, CallError> ParseDecision(std::string_view body) {
  const auto read = ReadObject(body);
  if (const auto* error = std::get_if<CallError>(&read)) return *error;
  Fields fields(std::get<json>(read));
  ParsedDecision parsed;
  Call& call = parsed.decision.call;
  ParseModel(&fields, &call);
  Conversation conversation;
  conversation.messages = ParseDecisionInput(&fields, &call.images);
  // Templates that can switch thoughts off have this variable. Answers are scored without thoughts.
  conversation.template_kwargs = R"({"enable_thinking": false})";
  call.input = std::move(conversation);
  call.input_field = "input";
  ParsedQuestions questions = ParseQuestions(&fields, &parsed.warnings);
  parsed.decision.questions = std::move(questions.questions);
  parsed.shapes = std::move(questions.shapes);
  for (const char* name : kWithoutEffect) {
    if (!fields.Raw(name).is_null()) parsed.warnings.NoEffect(name);
  }
  if (auto error = fields.Finish()) return *std::move(error);
  parsed.warnings.Merge(fields.warnings());
  return parsed;
}

std::string WriteDecision(const ParsedDecision& parsed, const std::string& model,
                          const DecisionResult& result) {
  json answers = json::array();
  for (size_t i = 0; i < parsed.shapes.size(); ++i) {
    answers.push_back(AnswerTo(parsed.shapes[i], result.probabilities[i]));
  }
  json body = {{"model", model}, {"answers", std::move(answers)}};
  body["usage"] = {{"input_tokens", result.input_tokens},
                   {"input_tokens_details",
                    {{"cached_tokens", result.cached_tokens},
                     {"cache_write_tokens", result.prompt_tokens - result.cached_tokens}}},
                   {"output_tokens", 0},
                   {"output_tokens_details", {{"reasoning_tokens", 0}}},
                   {"total_tokens", result.input_tokens}};
  if (!parsed.warnings.empty()) body["warnings"] = parsed.warnings.list();
  return DumpJson(body);
}

void AddDecisions(const ApiServices& services, Router* router) {
  router->Add({.method = "POST",
               .path = "/v1/decisions",
               .scope = Scope::kApi,
               .summary = "Probabilities of the answers to questions about texts and images.",
               .api = "openai/decisions/decisions",
               .error_body = OpenAiErrorBody,
               .handle = [&](Exchange& exchange) { Handle(services, exchange); }});
}

}  // namespace edgegate
