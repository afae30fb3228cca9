// The members of a JSON object, each with its type and perhaps its default.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/weights/json.h"

namespace edgegate {

// Reads the members of an object. status() has the first one that is missing, has another type or
// is out of its type's range. Where a default is given, null and a missing member give it. Owned by
// one thread.
class JsonKeys {
 public:
  explicit JsonKeys(const Json& json) : json_(json) {}

  int Int(const char* key, std::optional<int> absent = std::nullopt);
  uint64_t Size(const char* key);  // in bytes
  double Number(const char* key, std::optional<double> absent = std::nullopt);
  float Float(const char* key);
  bool Bool(const char* key, std::optional<bool> absent = std::nullopt);
  std::string String(const char* key);
  std::vector<int32_t> Ints(const char* key);
  std::vector<float> Floats(const char* key);

  // Nullopt where the member is null or missing.
  std::optional<int> OptionalInt(const char* key);
  std::optional<float> OptionalFloat(const char* key);

  const Status& status() const { return status_; }

 private:
  // The result of `read`. Where it is nullopt, the error says that the member must be `kind`.
  template <typename T>
  T Member(const char* key, std::optional<T> (*read)(const Json&), const char* kind);
  template <typename T>
  std::vector<T> Array(const char* key, std::optional<T> (*read)(const Json&), const char* kind);
  void Fail(const char* key, const char* kind);

  const Json json_;
  Status status_;
};

}  // namespace edgegate
