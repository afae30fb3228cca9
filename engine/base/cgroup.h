// Limits that the cgroups (version 1 and 2) of this process set.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace edgegate {

// Locations of the kernel's cgroup files. Tests use folders of their own.
struct CgroupPlaces {
  std::string own = "/proc/self/cgroup";
  std::string root = "/sys/fs/cgroup";
};

// Returns the folders of this process's cgroup and of all its ancestors that may hold limits of the
// controller, such as "memory": the folders of version 2, and those of the controller's hierarchy
// of version 1. A folder need not exist, because in a container the kernel may name one outside.
// Thread-safe.
std::vector<std::string> CgroupFolders(std::string_view controller,
                                       const CgroupPlaces& places = {});

// Returns the CPU quota as a number of processors; infinity if there is no quota. Thread-safe.
double CgroupCpus(const CgroupPlaces& places = {});

}  // namespace edgegate
