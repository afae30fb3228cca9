#include "server/api/tokens/detokenize.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "server/api/endpoint.h"
#include "server/api/json/dump.h"
#include "server/api/json/json_reader.h"
#include "server/api/openai/errors.h"
#include "server/api/openai/parameters.h"
#include "server/api/tokens/limits.h"
#include "server/api/warnings_member.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

std::optional<CallError> CheckIds(const DetokenizeRequest& request, const ServedModel& model) {
  for (size_t i = 0; i < request.tokens.size(); ++i) {
    const int32_t id = request.tokens[i];
    if (id < model.limits.vocab_size) continue;
    const std::string field = fmt::format("tokens[{}]", i);
    return BadField(field, fmt::format("Invalid '{}': {} is not in the vocabulary of {}.", field,
                                       id, model.limits.vocab_size));
  }
  return std::nullopt;
}

// Returns about the number of bytes of the answer and of its copies in memory.
int64_t BytesOf(const DetokenizeRequest& request, const ServedModel& model) {
  constexpr int64_t kCopies = 8;  // the text, its JSON, both members, and the answer
  int64_t bytes = 0;
  for (const int32_t id : request.tokens) {
    bytes += std::ssize(model.text->vocabulary().TokenBytes(id));
  }
  return kCopies * bytes;
}

// Both members have the text: vLLM's clients read `prompt`, and llama.cpp's read `content`.
std::string Write(const DetokenizeRequest& request, const ServedModel& model) {
  const std::string text = DumpJson(json(model.text->vocabulary().Decode(request.tokens, false)));
  return fmt::format(R"({{"prompt":{0},"content":{0}{1}}})", text,
                     WarningsMember(request.warnings));
}

void AnswerDetokenize(const ApiServices& services, Exchange& exchange) {
  MemoryBudget::Lease lease = services.memory->MakeLease();
  auto body = ReadBody(exchange, &lease);
  if (const auto* error = std::get_if<HttpError>(&body)) return exchange.Fail(*error);
  auto parsed = ParseDetokenize(std::get<std::string>(body));
  body = std::string();
  if (const auto* error = std::get_if<CallError>(&parsed)) return exchange.Fail(ToHttp(*error));
  const auto& request = std::get<DetokenizeRequest>(parsed);
  if (const auto error = CheckStrict(services, request.warnings)) {
    return exchange.Fail(ToHttp(*error));
  }
  const auto found = ModelOrOnly(services, request.model, exchange);
  if (const auto* error = std::get_if<CallError>(&found)) return exchange.Fail(ToHttp(*error));
  const ServedModel& model = *std::get<const ServedModel*>(found);
  if (const auto error = CheckIds(request, model)) return exchange.Fail(ToHttp(*error));
  const int64_t bytes = BytesOf(request, model);
  if (bytes > kFreeAnswerBytes) {
    const Status grown = lease.Grow(bytes, Clock::now() + MemoryBudget::kWait);
    if (!grown.ok()) return exchange.Fail(ToHttp({grown}));
  }
  exchange.Note(fmt::format("{}, {} tokens{}", model.name, request.tokens.size(),
                            WarningsNote(request.warnings)));
  exchange.Answer(Write(request, model));
}

}  // namespace

std::variant<DetokenizeRequest, CallError> ParseDetokenize(std::string_view body) {
  const auto read = ReadObject(body);
  if (const auto* error = std::get_if<CallError>(&read)) return *error;
  Fields fields(std::get<json>(read));
  DetokenizeRequest request;
  request.model = fields.String("model").value_or("");
  const json& tokens = fields.Raw("tokens");
  if (tokens.is_null()) fields.Fail(MissingField("tokens"));
  if (tokens.is_array() && std::ssize(tokens) > kMostTokenIds) {
    fields.Fail(BadField("tokens", fmt::format("Invalid 'tokens': it has {} ids; at most {} are "
                                               "read.",
                                               tokens.size(), kMostTokenIds)));
  }
  if (auto error = fields.Finish()) return *std::move(error);
  auto ids = TokenIds(tokens);
  if (!ids) return BadField("tokens", "Invalid 'tokens': expected an array of token ids.");
  request.tokens = *std::move(ids);
  request.warnings = fields.warnings();
  return request;
}

void AddDetokenize(const ApiServices& services, Router* router) {
  router->Add({.method = "POST",
               .path = "/detokenize",
               .scope = Scope::kApi,
               .summary = "The text of token ids.",
               .api = "tokens/detokenize",
               .error_body = OpenAiErrorBody,
               .handle = [&](Exchange& exchange) { AnswerDetokenize(services, exchange); }});
}

}  // namespace edgegate
