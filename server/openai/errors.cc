#include "server/openai/errors.h"

#include <nlohmann/json.hpp>

namespace edgegate {

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
    case StatusCode::kUnavailable:
      return {503, status.message(), "server_error", "", "unavailable"};
    case StatusCode::kDeadlineExceeded:
      return {504, status.message(), "server_error", "", "timeout"};
    default:
      return {500, status.message(), "server_error", "", "internal_error"};
  }
}

std::string ErrorJson(const ApiError& error) {
  using nlohmann::json;
  auto or_null = [](const std::string& text) { return text.empty() ? json(nullptr) : json(text); };
  const json body = {{"error",
                      {{"message", error.message},
                       {"type", error.type},
                       {"param", or_null(error.param)},
                       {"code", or_null(error.code)}}}};
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace edgegate
