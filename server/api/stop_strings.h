// Reads stop strings. All protocols have the same limits.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "server/api/json/fields.h"
#include "server/call/call.h"

namespace edgegate {

inline constexpr size_t kMaxStops = 16;
inline constexpr size_t kMaxStopBytes = 1024;  // of one stop string

// Reads a list of stop strings into the call. `path`: of the list, for errors, which go to
// `fields`.
void ReadStopStrings(Fields* fields, const nlohmann::ordered_json& list, const std::string& path,
                     Call* call);

}  // namespace edgegate
