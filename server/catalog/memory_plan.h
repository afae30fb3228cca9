// Divides the daemon's memory limit.
#pragma once

#include <cstdint>

#include "config/settings.h"
#include "engine/base/status.h"

namespace edgegate {

// Returns the largest amount of memory that this process may take, in bytes:
// `server.memory_limit_mb`, or else three quarters of the machine's memory or of the cgroup's
// limit, whichever is smaller.
int64_t MemoryLimit(const Settings& settings);

// Memory of a model beyond the page cache, in bytes.
struct ModelMemory {
  int64_t weights = 0;  // weights that are copied to huge pages
  int64_t kv_cache = 0;
};

// Returns the memory for requests: `limit` minus the memory of `models` (the sum over all), of the
// worker processes and of the program itself, but at most `server.request_memory_mb`.
// kInvalidArgument: less than 16 MiB is left; the message lists the parts.
Result<int64_t> RequestMemory(const Settings& settings, int64_t limit, const ModelMemory& models);

}  // namespace edgegate
