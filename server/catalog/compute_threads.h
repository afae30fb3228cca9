// The pool that computes, and its number of threads.
#pragma once

#include <memory>

#include "config/settings.h"
#include "engine/base/thread_pool.h"

namespace edgegate {

// The pool that a command computes with. It has the setting's number of threads; or else at most
// one for each processor of the affinity, and each step chooses how many of them compute, no more
// than there are processors that this process may keep busy then. Affinity and quota may change
// while the process runs.
std::unique_ptr<ThreadPool> MakeThreadPool(const Settings& settings);

}  // namespace edgegate
