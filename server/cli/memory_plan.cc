#include "server/cli/memory_plan.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "engine/base/memory_info.h"

namespace edgegate {
namespace {

constexpr int64_t kMib = int64_t{1} << 20;
constexpr int64_t kProgram = 192 * kMib;  // code's data, buffers of a step, threads
constexpr int64_t kLeast = 16 * kMib;

// The number in a file; "max", or no file: INT64_MAX.
int64_t NumberIn(const std::string& path) {
  std::ifstream file(path);
  int64_t value = 0;
  return file >> value ? value : INT64_MAX;
}

// The least limit of this process's cgroup and those above it, of version 2 or 1.
int64_t CgroupMemory() {
  std::ifstream file("/proc/self/cgroup");
  int64_t least = INT64_MAX;
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const bool unified = second == first + 1;
    if (!unified && line.substr(first + 1, second - first - 1) != "memory") continue;
    const std::string root = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    const char* name = unified ? "/memory.max" : "/memory.limit_in_bytes";
    for (std::string path = line.substr(second + 1);; path.erase(path.rfind('/'))) {
      least = std::min(least, NumberIn(root + path + name));
      if (path.find('/') == std::string::npos) break;
    }
    least = std::min(least, NumberIn(root + name));
  }
  return least;
}

}  // namespace

int64_t MemoryLimit(const Settings& settings) {
  if (settings.memory_limit_mb > 0) return settings.memory_limit_mb * kMib;
  return std::min(MemoryInfo("MemTotal").value_or(INT64_MAX), CgroupMemory()) / 4 * 3;
}

Result<int64_t> RequestMemory(const Settings& settings, int64_t limit, const ModelMemory& models) {
  const int64_t workers = int64_t{settings.workers} * settings.job_memory_mb * kMib;
  const int64_t left = limit - models.weights - models.kv_cache - workers - kProgram;
  if (left < kLeast) {
    return InvalidArgument(
        "server.memory_limit_mb is {}: weights take {} MiB, KV and image caches {} MiB, workers {} "
        "MiB (server.workers x server.job_memory_mb), the program {} MiB, and requests need {} MiB",
        limit / kMib, models.weights / kMib, models.kv_cache / kMib, workers / kMib,
        kProgram / kMib, kLeast / kMib);
  }
  return std::min(left, settings.request_memory_mb * kMib);
}

}  // namespace edgegate
