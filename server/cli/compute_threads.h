// The pool that computes, and its number of threads.
#pragma once

#include <memory>

#include "config/settings.h"
#include "engine/base/thread_pool.h"

namespace edgegate {

// The pool that a command computes with. It has the setting's number of threads, or one for each
// processor of the affinity, adjusted by AdjustThreadPool().
std::unique_ptr<ThreadPool> MakeThreadPool(const Settings& settings);

// Makes as many threads active as there are processors that this process may keep busy now, unless
// the setting says how many. Affinity and quota may change while the process runs.
void AdjustThreadPool(const Settings& settings, ThreadPool* pool);

}  // namespace edgegate
