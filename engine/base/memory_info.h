// What the kernel says of the machine's memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace edgegate {

// An entry of /proc/meminfo, such as "MemTotal", in bytes. nullopt: there is none. Thread-safe.
std::optional<int64_t> MemoryInfo(std::string_view name);

}  // namespace edgegate
