// Reads the members of a request's JSON object one by one. Checks the type and the range. Records
// which members were read, so that unknown members can be refused.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

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
  // Copies the first error of `inner`, or its first unknown member, to this reader. `name` is the
  // member that `inner` reads, and `inner` has no path.
  void Close(const Fields& inner, const std::string& name);
  // Returns the name of the first member that was not read. nullopt: all were read.
  std::optional<std::string> Unread() const;
  // Returns the paths of all members that were not read and are not null.
  std::vector<std::string> AllUnread() const;

 private:
  const nlohmann::ordered_json& object_;
  const std::string path_;
  std::set<std::string> read_;
  std::optional<CallError> error_;
};

// Returns a member that is a string, or an empty text if it is absent. `path`: of the object, for
// errors, which go to `fields`.
std::string TextMember(Fields* fields, const nlohmann::ordered_json& object, const char* member,
                       const std::string& path);

}  // namespace edgegate
