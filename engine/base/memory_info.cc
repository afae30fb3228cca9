#include "engine/base/memory_info.h"

#include <fstream>
#include <string>

namespace edgegate {

std::optional<int64_t> MemoryInfo(std::string_view name) {
  std::ifstream file("/proc/meminfo");
  const std::string entry = std::string(name) + ":";
  std::string word;
  int64_t kib = 0;
  while (file >> word) {
    if (word == entry && file >> kib) return kib << 10;
  }
  return std::nullopt;
}

}  // namespace edgegate
