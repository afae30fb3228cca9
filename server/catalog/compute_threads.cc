#include "server/catalog/compute_threads.h"

#include <sched.h>

#include <algorithm>

#include "engine/base/cgroup.h"

namespace edgegate {
namespace {

// Returns the number of processors that this process may run on. The kernel refuses a set that is
// too small for all processors, so larger sets are tried.
int ProcessorsOfAffinity() {
  for (int most = 1024; most <= 1 << 16; most *= 2) {
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(most),
                                                               [](cpu_set_t* s) { CPU_FREE(s); });
    const size_t bytes = CPU_ALLOC_SIZE(most);
    CPU_ZERO_S(bytes, set.get());
    if (sched_getaffinity(0, bytes, set.get()) == 0) return CPU_COUNT_S(bytes, set.get());
  }
  return 1;
}

// Returns the number of processors that this process may keep busy, at least 1. It is the number in
// the affinity mask, but at most the cgroups' quota, rounded down. A process that exceeds its quota
// is stopped until the next period.
int UsableProcessors() {
  const double usable = std::min(CgroupCpus(), static_cast<double>(ProcessorsOfAffinity()));
  return std::max(1, static_cast<int>(usable));
}

}  // namespace

std::unique_ptr<ThreadPool> MakeThreadPool(const Settings& settings) {
  if (settings.threads > 0) return std::make_unique<ThreadPool>(settings.threads);
  return std::make_unique<ThreadPool>(ProcessorsOfAffinity(), UsableProcessors);
}

}  // namespace edgegate
