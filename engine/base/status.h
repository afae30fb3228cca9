// Status and Result<T>: every layer of edgegate reports failures with them. No exception crosses a
// public header: exceptions of libraries are caught at the call and become a Status.
//
// A message is written for the person who can fix the cause. It names the file and offset, the
// field or the setting, and what was expected.
#pragma once

#include <fmt/format.h>

#include <cassert>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace edgegate {

enum class StatusCode {
  kOk,
  kInvalidArgument,    // the caller's input is wrong; a retry does not help
  kNotFound,           // a file, tensor or model that was named does not exist
  kDataLoss,           // a file is damaged or is not of its stated format
  kUnimplemented,      // well-formed, but not supported by edgegate
  kResourceExhausted,  // a limit was reached (queue, memory, disk); may work later
  kUnavailable,        // temporarily: loading, draining
  kDeadlineExceeded,
  kCancelled,
  kInternal,  // a bug, or the machine failed
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }

  // Returns the status with the context before its message: "opening model.gguf: <message>". No
  // effect if ok.
  Status WithContext(std::string_view context) const {
    return ok() ? *this : Status(code_, fmt::format("{}: {}", context, message_));
  }

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

template <typename... Args>
Status InvalidArgument(fmt::format_string<Args...> format, Args&&... args) {
  return {StatusCode::kInvalidArgument, fmt::format(format, std::forward<Args>(args)...)};
}
template <typename... Args>
Status NotFound(fmt::format_string<Args...> format, Args&&... args) {
  return {StatusCode::kNotFound, fmt::format(format, std::forward<Args>(args)...)};
}
template <typename... Args>
Status DataLoss(fmt::format_string<Args...> format, Args&&... args) {
  return {StatusCode::kDataLoss, fmt::format(format, std::forward<Args>(args)...)};
}
template <typename... Args>
Status Unimplemented(fmt::format_string<Args...> format, Args&&... args) {
  return {StatusCode::kUnimplemented, fmt::format(format, std::forward<Args>(args)...)};
}
template <typename... Args>
Status ResourceExhausted(fmt::format_string<Args...> format, Args&&... args) {
  return {StatusCode::kResourceExhausted, fmt::format(format, std::forward<Args>(args)...)};
}
template <typename... Args>
Status Unavailable(fmt::format_string<Args...> format, Args&&... args) {
  return {StatusCode::kUnavailable, fmt::format(format, std::forward<Args>(args)...)};
}
template <typename... Args>
Status Cancelled(fmt::format_string<Args...> format, Args&&... args) {
  return {StatusCode::kCancelled, fmt::format(format, std::forward<Args>(args)...)};
}
template <typename... Args>
Status Internal(fmt::format_string<Args...> format, Args&&... args) {
  return {StatusCode::kInternal, fmt::format(format, std::forward<Args>(args)...)};
}

// A T, or the Status that tells why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Status status) : status_(std::move(status)) { assert(!status_.ok()); }

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }

  // Undefined unless ok().
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace edgegate

#define EG_CONCAT_INNER(a, b) a##b
#define EG_CONCAT(a, b) EG_CONCAT_INNER(a, b)

// Returns `expr` (a Status) from the calling function if it is not ok.
#define EG_RETURN_IF_ERROR(expr)                                                     \
  do {                                                                               \
    if (::edgegate::Status eg_status_ = (expr); !eg_status_.ok()) return eg_status_; \
  } while (0)

// `EG_ASSIGN_OR_RETURN(auto x, F())` assigns F()'s value to x, or returns F()'s Status from the
// calling function.
#define EG_ASSIGN_OR_RETURN(lhs, expr) \
  EG_ASSIGN_OR_RETURN_INNER(EG_CONCAT(eg_result_, __LINE__), lhs, expr)
#define EG_ASSIGN_OR_RETURN_INNER(result, lhs, expr) \
  auto result = (expr);                              \
  if (!result.ok()) return result.status();          \
  lhs = *std::move(result)
