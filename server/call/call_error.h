// The error of a call, independent of the protocol.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

#include "engine/base/status.h"

namespace edgegate {

struct CallError {
  Status status;
  // Path of the field at fault, as the client wrote it: "messages[0].content". Empty: none.
  std::string field = {};
  // A short name of the cause for programs: "context_length_exceeded". May be empty.
  std::string code = {};
};

// Makes the error for a wrong value of a field. `message` is the whole message to the client.
inline CallError BadField(std::string field, const std::string& message, std::string code = "") {
  return {InvalidArgument("{}", message), std::move(field), std::move(code)};
}

// Makes the error for failed work on a field's value. If the value is wrong (kInvalidArgument), the
// message begins with the field's name. Otherwise the error names no field.
inline CallError AtField(std::string field, const Status& status, std::string code = "") {
  if (status.code() != StatusCode::kInvalidArgument) return {status};
  const std::string message = fmt::format("Invalid '{}': {}.", field, status.message());
  return BadField(std::move(field), message, std::move(code));
}

}  // namespace edgegate
