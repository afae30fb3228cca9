// Writes JSON values of answers.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace edgegate {

// The value on one line. Bytes that are not UTF-8 become U+FFFD. Json: a type of nlohmann's.
template <class Json>
std::string DumpJson(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace edgegate
