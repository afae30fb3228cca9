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

}  // namespace edgegate
