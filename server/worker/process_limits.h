// Limits that a worker process sets for itself.
#pragma once

#include <cstdint>

#include "engine/base/status.h"

namespace edgegate {

// Returns the size of the private memory that this process has mapped, in bytes.
uint64_t PrivateMemory();
// Makes allocations fail that would exceed `bytes` of private memory. No effect under sanitizers.
void LimitPrivateMemory(uint64_t bytes);

// Makes the kernel kill this process before the daemon if the machine runs out of memory.
void OfferToOomKiller();

// Discards standard error, because libraries write messages there that do not belong in the
// daemon's log. No effect under sanitizers.
void SilenceErrors();

// Refuses all further system calls except those for memory, open descriptors, clocks and the
// process's end: no file, socket or process can be opened or started. Irreversible. No effect under
// sanitizers. kUnavailable: the kernel has no such filter.
Status RefuseSystemCalls();

}  // namespace edgegate
