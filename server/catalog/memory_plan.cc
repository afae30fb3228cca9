#include "server/catalog/memory_plan.h"

#include <algorithm>
#include <fstream>
#include <string>

#include "engine/base/cgroup.h"
#include "engine/base/memory_info.h"

namespace edgegate {
namespace {

constexpr int64_t kMib = int64_t{1} << 20;
// The memory of the program's data, the buffers of a step and the threads.
constexpr int64_t kProgram = 192 * kMib;
constexpr int64_t kLeast = 16 * kMib;

// Returns the number in a file. INT64_MAX: the file has "max" or does not exist.
int64_t NumberIn(const std::string& path) {
  std::ifstream file(path);
  int64_t value = 0;
  return file >> value ? value : INT64_MAX;
}

// Returns the smallest memory limit of this process's cgroups.
int64_t CgroupMemory() {
  int64_t least = INT64_MAX;
  for (const std::string& folder : CgroupFolders("memory")) {
    least = std::min(
        {least, NumberIn(folder + "/memory.max"), NumberIn(folder + "/memory.limit_in_bytes")});
  }
  return least;
}

}  // namespace

int64_t MemoryLimit(const Settings& settings) {
  if (settings.memory_limit_mb > 0) return settings.memory_limit_mb * kMib;
  return std::min(MemoryInfo("MemTotal").value_or(INT64_MAX), CgroupMemory()) / 4 * 3;
}

Result<int64_t> RequestMemory(const Settings& settings, int64_t limit, const ModelMemory& models) {
  const int64_t workers =
      (int64_t{settings.workers} * settings.job_memory_mb + settings.video_memory_mb) * kMib;
  const int64_t left = limit - models.weights - models.kv_cache - workers - kProgram;
  if (left < kLeast) {
    return InvalidArgument(
        "server.memory_limit_mb is {}: weights take {} MiB, KV and image caches {} MiB, workers {} "
        "MiB (server.workers x server.job_memory_mb + server.video_memory_mb), the program {} MiB, "
        "and requests need {} MiB",
        limit / kMib, models.weights / kMib, models.kv_cache / kMib, workers / kMib,
        kProgram / kMib, kLeast / kMib);
  }
  return std::min(left, settings.request_memory_mb * kMib);
}

}  // namespace edgegate
