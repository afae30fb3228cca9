// Reads the members of a request's JSON object one by one. Checks the type and the range. Records
// which members were read, so that the answer can name the others.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "server/api/warnings.h"
#include "server/call/call_error.h"

namespace edgegate {

// Makes a 400 that names the expected type and the actual type of the parameter.
CallError WrongType(const std::string& name, const char* expected,
                    const nlohmann::ordered_json& value);

// Returns the member, or null if it is absent or `value` is no object. Copies nothing.
const nlohmann::ordered_json& MemberOf(const nlohmann::ordered_json& value, const char* name);

// Returns the member `type`, or an empty text if it is no string.
std::string TypeOf(const nlohmann::ordered_json& value);

// Returns the value of an integer. As in JSON Schema, 2.0 is the integer 2. nullopt: the value is
// no integer, or it does not fit in 64 bits.
std::optional<int64_t> IntegerOf(const nlohmann::ordered_json& value);

// Makes a 400 for a parameter that is absent.
CallError MissingField(const std::string& name);

// Keeps the first error. After an error every read returns nothing. Owned by one thread.
class Fields {
 public:
  // `path`: the path of the object, which begins the names in errors. Empty: the whole body.
  explicit Fields(const nlohmann::ordered_json& object, std::string path = "")
      : object_(object), path_(std::move(path)) {}

  // Returns the path of a member.
  std::string Path(const std::string& name) const {
    return path_.empty() ? name : path_ + "." + name;
  }

  // Returns the member, or null if it is absent. OpenAI's API treats null as absent.
  const nlohmann::ordered_json& Raw(const std::string& name);

  std::optional<bool> Bool(const std::string& name);
  std::optional<int64_t> Int(const std::string& name, int64_t low, int64_t high);
  std::optional<float> Number(const std::string& name, double low, double high);
  std::optional<std::string> String(const std::string& name);

  void Fail(CallError error) {
    if (!error_) error_ = std::move(error);
  }
  void Fail(std::optional<CallError> error) {
    if (error) Fail(*std::move(error));
  }
  const std::optional<CallError>& error() const { return error_; }

  // The members that are accepted and have no effect.
  Warnings& warnings() { return warnings_; }
  const Warnings& warnings() const { return warnings_; }
  // Adds a warning for each member of an inner object that is not in `known`. `path`: of the
  // object. No effect if `object` is no object.
  void WarnOfOthers(const nlohmann::ordered_json& object, const std::string& path,
                    std::initializer_list<std::string_view> known);
  // Ends the reading of an inner object: takes over the first error and the warnings of `inner`,
  // which has a path. Members that it did not read are unknown.
  void Adopt(Fields* inner);
  // Ends the reading. Members that were not read are unknown. Returns the first error.
  std::optional<CallError> Finish();

 private:
  const nlohmann::ordered_json& object_;
  const std::string path_;
  std::set<std::string> read_;
  std::optional<CallError> error_;
  Warnings warnings_;
};

// Returns a member that is a string, or an empty text if it is absent. `path`: of the object, for
// errors, which go to `fields`.
std::string TextMember(Fields* fields, const nlohmann::ordered_json& object, const char* member,
                       const std::string& path);

}  // namespace edgegate
