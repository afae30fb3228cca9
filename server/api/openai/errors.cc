#include "server/api/openai/errors.h"

#include <nlohmann/json.hpp>

#include "server/api/error_text.h"
#include "server/api/json/dump.h"

namespace edgegate {
namespace {

using nlohmann::json;

std::string Shortened(const std::string& text, size_t most) {
  return text.size() <= most ? text : text.substr(0, most) + "...";
}

const char* TypeOf(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 429:
      return "rate_limit_error";
    default:
      return status >= 500 ? "server_error" : "invalid_request_error";
  }
}

}  // namespace

std::string OpenAiErrorBody(const HttpError& error) {
  const auto or_null = [](const std::string& text) {
    return text.empty() ? json(nullptr) : json(Shortened(text, kMaxErrorField));
  };
  const json body = {{"error",
                      {{"message", Shortened(error.message, kMaxErrorMessage)},
                       {"type", TypeOf(error.status)},
                       {"param", or_null(error.field)},
                       {"code", or_null(error.code)}}}};
  return DumpJson(body);
}

}  // namespace edgegate
