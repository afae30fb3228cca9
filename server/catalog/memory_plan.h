// Divides the daemon's memory limit.
#pragma once

#include <cstdint>

#include "config/settings.h"
#include "engine/base/status.h"

namespace edgegate {

// The most memory that this process may take, in bytes: the setting, else three quarters of the
// machine's memory, or of the cgroup's limit where that is less.
int64_t MemoryLimit(const Settings& settings);

// Memory of a model beyond the page cache, in bytes.
struct ModelMemory {
  int64_t weights = 0;  // of weights that are copied to huge pages
  int64_t kv_cache = 0;
};

// The part of `limit` that is left for requests, at most what the setting says, once `models` (the
// sum over all), worker processes and the program itself have theirs. kInvalidArgument when that is
// less than 16 MiB; the message says what takes how much.
Result<int64_t> RequestMemory(const Settings& settings, int64_t limit, const ModelMemory& models);

}  // namespace edgegate
