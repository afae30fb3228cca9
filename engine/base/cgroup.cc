#include "engine/base/cgroup.h"

#include <algorithm>
#include <fstream>
#include <limits>

namespace edgegate {
namespace {

constexpr double kNoQuota = std::numeric_limits<double>::infinity();

// Reads version 2's cpu.max, such as "max 100000" or "150000 100000".
double QuotaOfV2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  double quota = 0, period = 0;
  return file >> quota >> period && quota > 0 && period > 0 ? quota / period : kNoQuota;
}

double QuotaOfV1(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us"),
      period_file(folder + "/cpu.cfs_period_us");
  double quota = 0, period = 0;
  // A quota of -1 means that there is none.
  return quota_file >> quota && period_file >> period && quota > 0 && period > 0 ? quota / period
                                                                                 : kNoQuota;
}

}  // namespace

std::vector<std::string> CgroupFolders(std::string_view controller, const CgroupPlaces& places) {
  std::vector<std::string> folders;
  std::ifstream file(places.own);
  // Lines such as "0::/system.slice/x" (version 2) and "4:cpu,cpuacct:/x" (version 1).
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    std::string root = places.root;
    if (names != ",,") {
      if (names.find("," + std::string(controller) + ",") == std::string::npos) continue;
      root += "/" + std::string(controller);
    }
    std::string path = line.substr(second + 1);
    while (!path.empty() && path != "/") {
      folders.push_back(root + path);
      path.erase(std::min(path.rfind('/'), path.size()));
    }
    folders.push_back(root);
  }
  return folders;
}

double CgroupCpus(const CgroupPlaces& places) {
  double least = kNoQuota;
  for (const std::string& folder : CgroupFolders("cpu", places)) {
    least = std::min({least, QuotaOfV2(folder), QuotaOfV1(folder)});
  }
  return least;
}

}  // namespace edgegate
