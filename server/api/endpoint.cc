#include "server/api/endpoint.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;

// A body of up to this many bytes needs no lease.
constexpr size_t kFreeBody = 64 << 10;
// Copies of a body in memory: the body, its JSON values, and the messages.
constexpr int64_t kCopiesOfBody = 3;

// Returns the text without characters that could forge a line of the log.
std::string Printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = '?';
  }
  return text;
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

std::variant<std::string, HttpError> ReadBody(Exchange& exchange, MemoryBudget::Lease* lease) {
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

std::optional<CallError> CheckStrict(const ApiServices& services, const Warnings& warnings) {
  if (!services.strict || !warnings.unknown()) return std::nullopt;
  return BadField(*warnings.unknown(),
                  fmt::format("Unrecognized request argument supplied: {} (server.strict).",
                              *warnings.unknown()),
                  "unknown_parameter");
}

std::string WarningsNote(const Warnings& warnings) {
  std::string note;
  for (const std::string& warning : warnings.list()) note += ", " + Printable(warning);
  return note;
}

std::variant<const ServedModel*, CallError> ModelOrOnly(const ApiServices& services,
                                                        const std::string& name,
                                                        const Exchange& exchange) {
  const auto entries = services.catalog->entries();
  const bool only = name.empty() && entries.size() == 1;
  return ModelFor(services, only ? entries[0].name : name, exchange);
}

std::optional<Clock::time_point> DeadlineOf(const ApiServices& services) {
  if (services.request_timeout_s <= 0) return std::nullopt;
  return Clock::now() + std::chrono::seconds(services.request_timeout_s);
}

}  // namespace edgegate
