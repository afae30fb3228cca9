// How many threads compute.
#pragma once

#include "config/settings.h"
#include "engine/base/thread_pool.h"

namespace edgegate {

// Processors that this process may run on.
int ProcessorsOfAffinity();

// Processors that this process may keep busy: those of its affinity, but no more than its cgroups'
// quota, rounded down, since a process over its quota is stopped until the next period. At least 1.
// Both may change while the process runs.
int UsableProcessors();

// The pool that a command computes with: with the setting's threads, else with those of the
// affinity, as many of them active as there are usable processors.
std::unique_ptr<ThreadPool> MakeThreadPool(const Settings& settings);

// Makes as many threads active as there are usable processors now, unless the setting says how
// many.
void AdjustThreadPool(const Settings& settings, ThreadPool* pool);

}  // namespace edgegate
