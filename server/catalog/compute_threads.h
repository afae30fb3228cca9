// Makes the thread pool of a command.
#pragma once

#include <memory>

#include "config/settings.h"
#include "engine/base/thread_pool.h"

namespace edgegate {

// Makes the pool with the number of threads of `engine.threads`. If that is 0, the pool has one
// thread for each processor of the affinity mask, and each step chooses how many of them compute.
// The number is at most the number of processors that this process may keep busy at that time.
// Affinity and quota may change while the process runs.
std::unique_ptr<ThreadPool> MakeThreadPool(const Settings& settings);

}  // namespace edgegate
