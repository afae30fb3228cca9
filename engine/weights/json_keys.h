// The members of a config.json, each with its type and its default.
#pragma once

#include <optional>

#include "engine/weights/json.h"

namespace edgegate {

// Reads the members of an object, remembering the first that has the wrong type. Owned by one
// thread.
class JsonKeys {
 public:
  explicit JsonKeys(const Json& json) : json_(json) {}

  int Int(const char* key, std::optional<int> absent = std::nullopt) {
    const Json value = json_[key];
    if (value.is_null() && absent) return *absent;
    const auto number = value.Int();
    if (!number || *number < -(1 << 30) || *number > (1 << 30)) {
      Fail(key, "an integer");
      return 0;
    }
    return static_cast<int>(*number);
  }
  double Number(const char* key, double absent) {
    const Json value = json_[key];
    if (value.is_null()) return absent;
    const auto number = value.Number();
    if (!number) Fail(key, "a number");
    return number.value_or(0);
  }
  bool Bool(const char* key, bool absent) {
    const Json value = json_[key];
    if (value.is_null()) return absent;
    const auto flag = value.Bool();
    if (!flag) Fail(key, "true or false");
    return flag.value_or(false);
  }
  const Status& status() const { return status_; }

 private:
  void Fail(const char* key, const char* kind) {
    if (!status_.ok()) return;
    status_ = json_.Has(key) ? DataLoss("{} is {}: must be {}", key, json_[key].Brief(), kind)
                             : DataLoss("{} is missing", key);
  }
  const Json json_;
  Status status_;
};

}  // namespace edgegate
