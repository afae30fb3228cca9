// Errors in the shape of OpenAI's API.
#pragma once

#include <string>

#include "server/http/http_error.h"

namespace edgegate {

// {"error": {"message", "type", "param", "code"}}. The type follows from the status. Long messages
// and fields are cut. Thread-safe.
std::string OpenAiErrorBody(const HttpError& error);

}  // namespace edgegate
