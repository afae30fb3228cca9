#include "engine/weights/json_keys.h"

#include <cmath>
#include <limits>

namespace edgegate {
namespace {

// The range of Int() is smaller than that of its type, so that sums of a few values do not overflow
// before validation.
constexpr int kMaxInt = 1 << 30;
constexpr char kInt[] = "a whole number from -2^30 to 2^30";
constexpr char kFloat[] = "a number that single precision holds";

std::optional<int> ToInt(const Json& value) {
  const auto number = value.Int();
  if (!number || *number < -kMaxInt || *number > kMaxInt) return std::nullopt;
  return static_cast<int>(*number);
}

std::optional<uint64_t> ToSize(const Json& value) {
  const auto number = value.Int();
  if (!number || *number < 0) return std::nullopt;
  return static_cast<uint64_t>(*number);
}

std::optional<float> ToFloat(const Json& value) {
  const auto number = value.Number();
  if (!number || std::abs(*number) > std::numeric_limits<float>::max()) return std::nullopt;
  return static_cast<float>(*number);
}

std::optional<double> ToNumber(const Json& value) { return value.Number(); }
std::optional<bool> ToBool(const Json& value) { return value.Bool(); }
std::optional<std::string> ToString(const Json& value) { return value.String(); }

}  // namespace

template <typename T>
T JsonKeys::Member(const char* key, std::optional<T> (*read)(const Json&), const char* kind) {
  std::optional<T> value = read(json_[key]);
  if (!value) Fail(key, kind);
  return std::move(value).value_or(T());
}

template <typename T>
std::vector<T> JsonKeys::Array(const char* key, std::optional<T> (*read)(const Json&),
                               const char* kind) {
  const Json array = json_[key];
  if (!array.is_array()) Fail(key, "an array");
  std::vector<T> values;
  for (size_t i = 0; array.is_array() && i < array.size(); ++i) {
    const std::optional<T> value = read(array.At(i));
    if (!value) Fail(key, kind);
    values.push_back(value.value_or(T()));
  }
  return values;
}

int JsonKeys::Int(const char* key, std::optional<int> absent) {
  return absent && json_[key].is_null() ? *absent : Member(key, ToInt, kInt);
}

uint64_t JsonKeys::Size(const char* key) {
  return Member(key, ToSize, "a whole number from 0 to 2^63 - 1");
}

double JsonKeys::Number(const char* key, std::optional<double> absent) {
  return absent && json_[key].is_null() ? *absent : Member(key, ToNumber, "a number");
}

float JsonKeys::Float(const char* key) { return Member(key, ToFloat, kFloat); }

bool JsonKeys::Bool(const char* key, std::optional<bool> absent) {
  return absent && json_[key].is_null() ? *absent : Member(key, ToBool, "true or false");
}

std::string JsonKeys::String(const char* key) { return Member(key, ToString, "a string"); }

std::vector<int32_t> JsonKeys::Ints(const char* key) {
  return Array(key, ToInt, "an array of whole numbers from -2^30 to 2^30");
}

std::vector<float> JsonKeys::Floats(const char* key) {
  return Array(key, ToFloat, "an array of numbers that single precision holds");
}

std::optional<int> JsonKeys::OptionalInt(const char* key) {
  return json_[key].is_null() ? std::nullopt : std::optional(Member(key, ToInt, kInt));
}

std::optional<float> JsonKeys::OptionalFloat(const char* key) {
  return json_[key].is_null() ? std::nullopt : std::optional(Member(key, ToFloat, kFloat));
}

void JsonKeys::Fail(const char* key, const char* kind) {
  if (!status_.ok()) return;
  status_ = json_.Has(key) ? DataLoss("{} is {}: must be {}", key, json_[key].Brief(), kind)
                           : DataLoss("{} is missing", key);
}

}  // namespace edgegate
