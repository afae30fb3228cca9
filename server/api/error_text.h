// The text of errors. All protocols share this code.
#pragma once

#include <cstddef>
#include <string>

#include "server/http/http_error.h"

namespace edgegate {

// Longest message and field in bytes. A message may quote a request, which may be long.
inline constexpr size_t kMaxErrorMessage = 1000;
inline constexpr size_t kMaxErrorField = 200;

// Returns the message for protocols without a member for the field at fault. The message begins
// with the field unless it names it. Thread-safe.
inline std::string MessageWithField(const HttpError& error) {
  const std::string field = error.field.substr(0, kMaxErrorField);
  const bool named = field.empty() || error.message.find(field) != std::string::npos;
  return named ? error.message : field + ": " + error.message;
}

}  // namespace edgegate
