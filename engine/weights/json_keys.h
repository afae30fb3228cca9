// Reads the members of a JSON object, each with its type and, if it is optional, its default.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/weights/json.h"

namespace edgegate {

// Reads the members of an object. Stores the first error: a member is missing, has another type, or
// is out of its type's range. If a default is given, it replaces null and a missing member. After
// an error, the values are unspecified. Owned by one thread.
class JsonKeys {
 public:
  explicit JsonKeys(const Json& json) : json_(json) {}

  int Int(const char* key, std::optional<int> absent = std::nullopt);
  uint64_t Size(const char* key);  // a number of bytes
  double Number(const char* key, std::optional<double> absent = std::nullopt);
  float Float(const char* key);
  bool Bool(const char* key, std::optional<bool> absent = std::nullopt);
  std::string String(const char* key);
  std::vector<int32_t> Ints(const char* key);
  std::vector<float> Floats(const char* key);

  // nullopt: the member is null or missing.
  std::optional<int> OptionalInt(const char* key);
  std::optional<float> OptionalFloat(const char* key);

  // Returns the first error, kDataLoss. The message names the member.
  const Status& status() const { return status_; }

 private:
  // Returns the result of `read`. If it is nullopt, the error says that the member must be `kind`.
  template <typename T>
  T Member(const char* key, std::optional<T> (*read)(const Json&), const char* kind);
  template <typename T>
  std::vector<T> Array(const char* key, std::optional<T> (*read)(const Json&), const char* kind);
  void Fail(const char* key, const char* kind);

  const Json json_;
  Status status_;
};

}  // namespace edgegate
