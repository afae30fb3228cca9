// The machine's memory, as the kernel reports it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace edgegate {

// Returns an entry of /proc/meminfo, such as "MemTotal", in bytes; nullopt if there is no such
// entry. Thread-safe.
std::optional<int64_t> MemoryInfo(std::string_view name);

}  // namespace edgegate
