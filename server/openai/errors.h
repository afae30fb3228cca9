// Errors in the shape of OpenAI's API.
#pragma once

#include <string>

#include "engine/base/status.h"

namespace edgegate {

struct ApiError {
  int http_status = 400;
  std::string message;
  std::string type = "invalid_request_error";
  std::string param;  // empty: null
  std::string code;   // empty: null
};

// A 400 that names the parameter at fault.
ApiError BadParam(std::string param, std::string message, std::string code = "");

// What a failure inside means to the client: 429 when a bound was reached, 503 when not now, 400
// when the input was wrong, else 500, which is logged.
ApiError FromStatus(const Status& status);

// What a failure to read the parameter's value means: a 400 that names the parameter when the value
// was wrong, else as FromStatus.
ApiError FromReading(const std::string& param, const Status& status, std::string code = "");

std::string ErrorJson(const ApiError& error);

}  // namespace edgegate
