#include "server/api/json/fields.h"

#include <algorithm>
#include <cmath>

namespace edgegate {
namespace {

const nlohmann::ordered_json kNull;

template <class Number>
CallError OutOfRange(const std::string& name, const nlohmann::ordered_json& value, Number low,
                     Number high) {
  return BadField(name, fmt::format("Invalid '{}': {} is out of range, must be between {} and {}.",
                                    name, value.dump(), low, high));
}

}  // namespace

CallError WrongType(const std::string& name, const char* expected,
                    const nlohmann::ordered_json& value) {
  return BadField(name,
                  fmt::format("Invalid type for '{}': expected {}, but got {} instead.", name,
                              expected, value.type_name()),
                  "invalid_type");
}

const nlohmann::ordered_json& MemberOf(const nlohmann::ordered_json& value, const char* name) {
  if (!value.is_object()) return kNull;
  const auto found = value.find(name);
  return found == value.end() ? kNull : *found;
}

std::string TypeOf(const nlohmann::ordered_json& value) {
  const auto& type = MemberOf(value, "type");
  return type.is_string() ? type.get<std::string>() : "";
}

std::optional<int64_t> IntegerOf(const nlohmann::ordered_json& value) {
  if (value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX) return std::nullopt;
  if (value.is_number_integer()) return value.get<int64_t>();
  if (!value.is_number_float()) return std::nullopt;
  const double number = value.get<double>();
  constexpr double kEnd = 0x1p63;
  const bool fits = number >= -kEnd && number < kEnd && std::trunc(number) == number;
  return fits ? std::optional(static_cast<int64_t>(number)) : std::nullopt;
}

CallError MissingField(const std::string& name) {
  return BadField(name, fmt::format("Missing required parameter: '{}'.", name),
                  "missing_required_parameter");
}

const nlohmann::ordered_json& Fields::Raw(const std::string& name) {
  read_.insert(name);
  auto found = object_.find(name);
  return found == object_.end() ? kNull : *found;
}

std::optional<bool> Fields::Bool(const std::string& name) {
  const auto& value = Raw(name);
  if (value.is_null()) return std::nullopt;
  if (!value.is_boolean()) {
    Fail(WrongType(Path(name), "a boolean", value));
    return std::nullopt;
  }
  return value.get<bool>();
}

std::optional<int64_t> Fields::Int(const std::string& name, int64_t low, int64_t high) {
  const auto& value = Raw(name);
  if (value.is_null()) return std::nullopt;
  const std::optional<int64_t> integer = IntegerOf(value);
  // Integers that do not fit in 64 bits are out of range. A float of 2^63 or more is one too.
  const bool is_integer = integer || value.is_number_integer() ||
                          (value.is_number_float() && std::abs(value.get<double>()) >= 0x1p63);
  if (!is_integer) {
    Fail(WrongType(Path(name), "an integer", value));
    return std::nullopt;
  }
  if (!integer || *integer < low || *integer > high) {
    Fail(OutOfRange(Path(name), value, low, high));
    return std::nullopt;
  }
  return integer;
}

std::optional<float> Fields::Number(const std::string& name, double low, double high) {
  const auto& value = Raw(name);
  if (value.is_null()) return std::nullopt;
  if (!value.is_number()) {
    Fail(WrongType(Path(name), "a number", value));
    return std::nullopt;
  }
  const double number = value.get<double>();
  if (!(number >= low && number <= high)) {
    Fail(OutOfRange(Path(name), value, low, high));
    return std::nullopt;
  }
  return static_cast<float>(number);
}

std::optional<std::string> Fields::String(const std::string& name) {
  const auto& value = Raw(name);
  if (value.is_null()) return std::nullopt;
  if (!value.is_string()) {
    Fail(WrongType(Path(name), "a string", value));
    return std::nullopt;
  }
  return value.get<std::string>();
}

void Fields::WarnOfOthers(const nlohmann::ordered_json& object, const std::string& path,
                          std::initializer_list<std::string_view> known) {
  if (!object.is_object()) return;
  for (const auto& [name, value] : object.items()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    warnings_.Unknown(path + "." + name, value.is_null());
  }
}

void Fields::Adopt(Fields* inner) {
  Fail(inner->Finish());
  warnings_.Merge(inner->warnings_);
}

std::optional<CallError> Fields::Finish() {
  for (const auto& [name, value] : object_.items()) {
    if (!read_.contains(name)) warnings_.Unknown(Path(name), value.is_null());
  }
  return error_;
}

std::string TextMember(Fields* fields, const nlohmann::ordered_json& object, const char* member,
                       const std::string& path) {
  const auto& value = MemberOf(object, member);
  if (value.is_null()) return {};
  if (!value.is_string()) {
    fields->Fail(WrongType(path + "." + member, "a string", value));
    return {};
  }
  return value.get<std::string>();
}

}  // namespace edgegate
