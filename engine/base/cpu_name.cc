#include "engine/base/cpu_name.h"

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

namespace edgegate {
namespace {

// The types of ARM cores by implementer and part number, as in util-linux's lscpu-arm.c.
struct Core {
  uint32_t implementer, part;
  std::string_view name;
};
constexpr uint32_t kArm = 0x41, kNvidia = 0x4e, kQualcomm = 0x51, kApple = 0x61, kAmpere = 0xc0;
constexpr Core kCores[] = {
    {kArm, 0xd03, "Cortex-A53"},         {kArm, 0xd04, "Cortex-A35"},
    {kArm, 0xd05, "Cortex-A55"},         {kArm, 0xd07, "Cortex-A57"},
    {kArm, 0xd08, "Cortex-A72"},         {kArm, 0xd09, "Cortex-A73"},
    {kArm, 0xd0a, "Cortex-A75"},         {kArm, 0xd0b, "Cortex-A76"},
    {kArm, 0xd0c, "Neoverse-N1"},        {kArm, 0xd0d, "Cortex-A77"},
    {kArm, 0xd0e, "Cortex-A76AE"},       {kArm, 0xd40, "Neoverse-V1"},
    {kArm, 0xd41, "Cortex-A78"},         {kArm, 0xd42, "Cortex-A78AE"},
    {kArm, 0xd44, "Cortex-X1"},          {kArm, 0xd46, "Cortex-A510"},
    {kArm, 0xd47, "Cortex-A710"},        {kArm, 0xd48, "Cortex-X2"},
    {kArm, 0xd49, "Neoverse-N2"},        {kArm, 0xd4a, "Neoverse-E1"},
    {kArm, 0xd4b, "Cortex-A78C"},        {kArm, 0xd4d, "Cortex-A715"},
    {kArm, 0xd4e, "Cortex-X3"},          {kArm, 0xd4f, "Neoverse-V2"},
    {kArm, 0xd80, "Cortex-A520"},        {kArm, 0xd81, "Cortex-A720"},
    {kArm, 0xd82, "Cortex-X4"},          {kArm, 0xd84, "Neoverse-V3"},
    {kArm, 0xd8e, "Neoverse-N3"},        {kNvidia, 0x004, "Carmel"},
    {kQualcomm, 0x001, "Oryon"},         {kQualcomm, 0x802, "Kryo 3xx Gold"},
    {kQualcomm, 0x804, "Kryo 4xx Gold"}, {kApple, 0x022, "Icestorm"},
    {kApple, 0x023, "Firestorm"},        {kAmpere, 0xac3, "Ampere-1"},
    {kAmpere, 0xac4, "Ampere-1a"},
};

std::string CoreName(uint32_t implementer, uint32_t part) {
  for (const Core& core : kCores) {
    if (core.implementer == implementer && core.part == part) return std::string(core.name);
  }
  std::ostringstream name;
  name << std::hex << "implementer 0x" << implementer << " part 0x" << part;
  return name.str();
}

std::string ReadFile(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::string CpuNameOf(const std::string& cpuinfo, const std::string& device_tree_model) {
  std::string cores;
  uint32_t implementer = 0;
  std::istringstream lines(cpuinfo);
  for (std::string line; std::getline(lines, line);) {
    const size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    const std::string value = line.substr(colon + 2);
    const auto number = [&] { return static_cast<uint32_t>(std::strtoul(value.c_str(), {}, 0)); };
    if (line.starts_with("model name")) return value;
    if (line.starts_with("CPU implementer")) implementer = number();
    if (!line.starts_with("CPU part")) continue;
    // A processor may have cores of several types. Cores of one type are listed one after another.
    const std::string core = CoreName(implementer, number());
    if (!cores.ends_with(core)) cores += (cores.empty() ? "" : ", ") + core;
  }
  // The device tree ends its strings with a zero byte.
  const std::string board = device_tree_model.c_str();
  if (board.empty()) return cores.empty() ? "unknown" : cores;
  return cores.empty() ? board : board + " (" + cores + ")";
}

std::string CpuName() {
  return CpuNameOf(ReadFile("/proc/cpuinfo"), ReadFile("/proc/device-tree/model"));
}

}  // namespace edgegate
