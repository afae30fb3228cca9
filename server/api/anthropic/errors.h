// Errors in the shape of Anthropic's API.
#pragma once

#include <string>

#include "server/http/http_error.h"

namespace edgegate {

// {"type": "error", "error": {"type", "message"}}. The type follows from the status. The message
// names the field at fault. Long messages are cut. Thread-safe.
std::string AnthropicErrorBody(const HttpError& error);

}  // namespace edgegate
