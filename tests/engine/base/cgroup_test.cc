// Limits of cgroups, read from folders that look like the kernel's.

#include "engine/base/cgroup.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "tests/fakes/temporary_folder.h"

namespace edgegate {
namespace {

struct Kernel {
  explicit Kernel(const std::string& own) { Write("own", own); }

  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = folder.path + "/" + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  CgroupPlaces places() const { return {folder.path + "/own", folder.path + "/cgroup"}; }
  double cpus() const { return CgroupCpus(places()); }

  TemporaryFolder folder;
};

TEST_CASE("version 2: the least quota of the process's cgroup and all above it") {
  Kernel kernel("0::/system.slice/edgegate.service\n");
  CHECK(std::isinf(kernel.cpus()));
  kernel.Write("cgroup/system.slice/edgegate.service/cpu.max", "max 100000\n");
  CHECK(std::isinf(kernel.cpus()));
  kernel.Write("cgroup/system.slice/cpu.max", "300000 100000\n");
  CHECK(kernel.cpus() == 3);
  kernel.Write("cgroup/system.slice/edgegate.service/cpu.max", "150000 100000\n");
  CHECK(kernel.cpus() == 1.5);
  kernel.Write("cgroup/cpu.max", "50000 100000\n");
  CHECK(kernel.cpus() == 0.5);
}

TEST_CASE("version 1: the cpu controller's own hierarchy, and no other one's") {
  Kernel kernel("5:cpuset:/other\n4:cpu,cpuacct:/docker/1\n0::/\n");
  kernel.Write("cgroup/cpu/docker/1/cpu.cfs_quota_us", "-1\n");
  kernel.Write("cgroup/cpu/docker/1/cpu.cfs_period_us", "100000\n");
  kernel.Write("cgroup/cpuset/other/cpu.cfs_quota_us", "1000\n");
  kernel.Write("cgroup/cpuset/other/cpu.cfs_period_us", "100000\n");
  CHECK(std::isinf(kernel.cpus()));
  kernel.Write("cgroup/cpu/docker/1/cpu.cfs_quota_us", "250000\n");
  CHECK(kernel.cpus() == 2.5);
}

TEST_CASE("in a container the named folder is not there, and the root is the container's") {
  Kernel kernel("0::/../../outside\n");
  kernel.Write("cgroup/cpu.max", "200000 100000\n");
  CHECK(kernel.cpus() == 2);
}

TEST_CASE("malformed cgroup files set no limit") {
  for (const char* text : {"", "x", "1", "100000 0", "-5 -5"}) {
    Kernel kernel("nonsense\n1:\n0::\n");
    kernel.Write("cgroup/cpu.max", text);
    CAPTURE(text);
    CHECK(kernel.cpus() > 0);
    CHECK_FALSE(std::isnan(kernel.cpus()));
  }
  CHECK(CgroupFolders("memory", {"/nowhere", "/nowhere"}).empty());
}

}  // namespace
}  // namespace edgegate
