#include "server/api/anthropic/errors.h"

#include <nlohmann/json.hpp>

#include "server/api/error_text.h"
#include "server/api/json/dump.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

const char* TypeOf(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    case 504:
      return "timeout_error";
    default:
      return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

}  // namespace

std::string AnthropicErrorBody(const HttpError& error) {
  std::string message = MessageWithField(error);
  // Clients look for these words to shorten the conversation.
  if (error.code == "context_length_exceeded") message = "prompt is too long: " + message;
  if (message.size() > kMaxErrorMessage) message.resize(kMaxErrorMessage);
  const json body = {{"type", "error"},
                     {"error", {{"type", TypeOf(error.status)}, {"message", message}}}};
  return DumpJson(body);
}

}  // namespace edgegate
