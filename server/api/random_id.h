// Random ids of answers and of their parts.
#pragma once

#include <string>

namespace edgegate {

// Returns `prefix` and 24 random hex digits. Thread-safe.
std::string RandomId(const char* prefix);

}  // namespace edgegate
