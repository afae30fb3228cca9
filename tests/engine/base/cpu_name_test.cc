#include "engine/base/cpu_name.h"

#include <doctest/doctest.h>

#include <string>

namespace edgegate {
namespace {

std::string Core(const char* part) {
  return "processor\t: 0\nBogoMIPS\t: 108.00\nCPU implementer\t: 0x41\nCPU architecture: 8\n"
         "CPU variant\t: 0x4\nCPU part\t: " +
         std::string(part) + "\nCPU revision\t: 1\n\n";
}

TEST_CASE("an x86 processor has its model name") {
  CHECK(CpuNameOf("processor\t: 0\nmodel name\t: AMD EPYC 7B13\nstepping\t: 1\n", "") ==
        "AMD EPYC 7B13");
}

TEST_CASE("an ARM processor has the types of its cores, and its board's name if there is one") {
  CHECK(CpuNameOf(Core("0xd0b") + Core("0xd0b"), "") == "Cortex-A76");
  CHECK(CpuNameOf(Core("0xd0b"), std::string("Raspberry Pi 5 Model B Rev 1.0\0", 31)) ==
        "Raspberry Pi 5 Model B Rev 1.0 (Cortex-A76)");
  CHECK(CpuNameOf(Core("0xd05") + Core("0xd05") + Core("0xd0b"), "Radxa ROCK 5B") ==
        "Radxa ROCK 5B (Cortex-A55, Cortex-A76)");
}

TEST_CASE("an unknown core has its numbers") {
  CHECK(CpuNameOf(Core("0xfff"), "") == "implementer 0x41 part 0xfff");
}

TEST_CASE("without any of the names the processor is unknown") {
  CHECK(CpuNameOf("", "") == "unknown");
  CHECK(CpuNameOf("processor\t: 0\nflags\t\t: fpu\n", "") == "unknown");
  CHECK(CpuNameOf("", "Some board") == "Some board");
  CHECK_FALSE(CpuName().empty());
}

}  // namespace
}  // namespace edgegate
