// Errors in the shape of Ollama's API.
#pragma once

#include <string>

#include "server/http/http_error.h"

namespace edgegate {

// {"error": MESSAGE}. The message names the field at fault. Long messages are cut. Thread-safe.
std::string OllamaErrorBody(const HttpError& error);

}  // namespace edgegate
