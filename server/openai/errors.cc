#include "server/openai/errors.h"

#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

namespace edgegate {
namespace {

// What is quoted of a request may be as long as the request.
constexpr size_t kMaxMessage = 1000;
constexpr size_t kMaxParam = 200;

std::string Shortened(const std::string& text, size_t most) {
  return text.size() <= most ? text : text.substr(0, most) + "...";
}

}  // namespace

ApiError BadParam(std::string param, std::string message, std::string code) {
  return {400, std::move(message), "invalid_request_error", std::move(param), std::move(code)};
}

ApiError FromStatus(const Status& status) {
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kUnimplemented:
      return {400, status.message(), "invalid_request_error", "", ""};
    case StatusCode::kNotFound:
      return {404, status.message(), "invalid_request_error", "", ""};
    case StatusCode::kResourceExhausted:
      return {429, status.message(), "rate_limit_error", "", "rate_limit_exceeded"};
    case StatusCode::kDataLoss:  // a model's file was damaged while it was served
    case StatusCode::kUnavailable:
      return {503, status.message(), "server_error", "", "unavailable"};
    case StatusCode::kDeadlineExceeded:
      return {504, status.message(), "server_error", "", "timeout"};
    default:
      spdlog::error("internal error: {}", status.message());
      return {500, status.message(), "server_error", "", "internal_error"};
  }
}

ApiError FromReading(const std::string& param, const Status& status, std::string code) {
  if (status.code() != StatusCode::kInvalidArgument) return FromStatus(status);
  return BadParam(param, fmt::format("Invalid '{}': {}.", param, status.message()),
                  std::move(code));
}

std::string ErrorJson(const ApiError& error) {
  using nlohmann::json;
  auto or_null = [](const std::string& text) {
    return text.empty() ? json(nullptr) : json(Shortened(text, kMaxParam));
  };
  const json body = {{"error",
                      {{"message", Shortened(error.message, kMaxMessage)},
                       {"type", error.type},
                       {"param", or_null(error.param)},
                       {"code", or_null(error.code)}}}};
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace edgegate
