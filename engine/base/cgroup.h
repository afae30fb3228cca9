// What the cgroups of this process allow it, of version 1 and 2.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace edgegate {

// Where the kernel shows cgroups. Tests give folders of their own.
struct CgroupPlaces {
  std::string own = "/proc/self/cgroup";
  std::string root = "/sys/fs/cgroup";
};

// The folders of this process's cgroup and of all above it that may hold limits of the controller,
// such as "memory": those of version 2, and of the controller's hierarchy of version 1. A folder
// need not exist: in a container the kernel may name one outside. Thread-safe.
std::vector<std::string> CgroupFolders(std::string_view controller,
                                       const CgroupPlaces& places = {});

// The number of processors whose time the cgroups allow; infinity: there is no quota.
// Thread-safe.
double CgroupCpus(const CgroupPlaces& places = {});

}  // namespace edgegate
