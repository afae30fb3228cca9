// Writes JSON values of answers.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace edgegate {

// Writes the value on one line. Bytes that are not UTF-8 become U+FFFD. Json: nlohmann::json or
// nlohmann::ordered_json.
template <class Json>
std::string DumpJson(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Writes the value as models write the arguments of calls: on one line, with a space after each
// comma and colon. Precondition: the value's depth is bounded, as ReadJson() does.
inline std::string DumpSpaced(const nlohmann::ordered_json& value) {
  if (!value.is_structured()) return DumpJson(value);
  std::string out;
  for (const auto& [key, item] : value.items()) {
    if (!out.empty()) out += ", ";
    if (value.is_object()) out += DumpJson(nlohmann::ordered_json(key)) + ": ";
    out += DumpSpaced(item);
  }
  return value.is_object() ? "{" + out + "}" : "[" + out + "]";
}

}  // namespace edgegate
