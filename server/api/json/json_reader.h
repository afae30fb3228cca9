// Reads a request's JSON once, in linear time, within limits.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>
#include <variant>

#include "server/call/call_error.h"

namespace edgegate {

struct JsonLimits {
  int max_depth = 32;
  int max_members = 1024;      // of one object: they keep their order, so finding one is linear
  int max_nodes = 65536;       // objects, arrays, strings and members, which allocate memory
  int max_values = 2'000'000;  // numbers, booleans and nulls
};

// Returns the value, or a 400. The 400 names the limit that `text` exceeds, or the byte at which
// `text` is not JSON (RFC 8259, UTF-8). If an object has a member twice, the last one counts.
// Thread-safe.
std::variant<nlohmann::ordered_json, CallError> ReadJson(std::string_view text,
                                                         const JsonLimits& limits);

// Reads a request's body, which must be a JSON object, within the default limits. Thread-safe.
std::variant<nlohmann::ordered_json, CallError> ReadObject(std::string_view body);

}  // namespace edgegate
