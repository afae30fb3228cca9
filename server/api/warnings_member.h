// The member `warnings` of answers that are written as text.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "server/api/json/dump.h"
#include "server/api/warnings.h"

namespace edgegate {

// Returns `,"warnings":[...]` for the end of an answer's object. Empty: there are no warnings.
inline std::string WarningsMember(const Warnings& warnings) {
  if (warnings.empty()) return {};
  return ",\"warnings\":" + DumpJson(nlohmann::json(warnings.list()));
}

}  // namespace edgegate
