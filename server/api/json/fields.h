// Reads the members of a request's JSON object one by one, checking type and range, and remembers
// which were read, so that unknown members can be refused.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

#include "server/call/call_error.h"

namespace edgegate {

// A 400 that says what type the parameter must have, and what it has.
CallError WrongType(const std::string& name, const char* expected,
                    const nlohmann::ordered_json& value);

// Keeps the first error; after it, every read gives nothing. Owned by one thread.
class Fields {
 public:
  explicit Fields(const nlohmann::ordered_json& object) : object_(object) {}

  // The member, or null where it is absent or null (which OpenAI's API takes as absent).
  const nlohmann::ordered_json& Raw(const std::string& name);

  std::optional<bool> Bool(const std::string& name);
  std::optional<int64_t> Int(const std::string& name, int64_t low, int64_t high);
  std::optional<float> Number(const std::string& name, double low, double high);
  std::optional<std::string> String(const std::string& name);

  void Fail(CallError error) {
    if (!error_) error_ = std::move(error);
  }
  const std::optional<CallError>& error() const { return error_; }
  // Takes over what `inner`, the reader of the member `name`, found wrong or did not know.
  void Close(const Fields& inner, const std::string& name);
  // The first member that was never read.
  std::optional<std::string> Unread() const;

 private:
  const nlohmann::ordered_json& object_;
  std::set<std::string> read_;
  std::optional<CallError> error_;
};

}  // namespace edgegate
