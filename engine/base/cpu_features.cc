#include "engine/base/cpu_features.h"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <utility>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace edgegate {
namespace {

constexpr std::pair<std::string_view, Isa> kNames[] = {
    {"scalar", Isa::kScalar},          {"avx2", Isa::kAvx2},
    {"avx-vnni", Isa::kAvxVnni},       {"avx512", Isa::kAvx512},
    {"avx512-vnni", Isa::kAvx512Vnni}, {"amx", Isa::kAmx},
};

#if defined(__x86_64__)
// Bit `bit` of a CPUID leaf's register (0 eax .. 3 edx).
bool CpuidBit(unsigned leaf, unsigned subleaf, int reg, int bit) {
  unsigned r[4] = {};
  if (!__get_cpuid_count(leaf, subleaf, &r[0], &r[1], &r[2], &r[3])) return false;
  return (r[reg] >> bit) & 1;
}

bool HasAvxVnni() { return CpuidBit(7, 1, 0, 4); }

bool DetectBf16() { return CpuidBit(7, 1, 0, 5); }

Isa DetectIsa() {
  __builtin_cpu_init();
  // These also check that the operating system saves the registers.
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return Isa::kScalar;
  bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (!avx512) return HasAvxVnni() ? Isa::kAvxVnni : Isa::kAvx2;
  if (!__builtin_cpu_supports("avx512vnni")) return Isa::kAvx512;
  bool amx = CpuidBit(7, 0, 3, 24) && CpuidBit(7, 0, 3, 25);
  return amx ? Isa::kAmx : Isa::kAvx512Vnni;
}
#else
bool HasAvxVnni() { return false; }
bool DetectBf16() { return false; }
Isa DetectIsa() { return Isa::kScalar; }
#endif

std::atomic<Isa> isa_cap{Isa::kAmx};

}  // namespace

Isa CurrentIsa() {
  static const Isa detected = DetectIsa();
  static const bool vex = HasAvxVnni();
  Isa isa = std::min(detected, isa_cap.load(std::memory_order_relaxed));
  // AVX-512 machines need not have the VEX encoding of vpdpbusd.
  if (isa == Isa::kAvxVnni && !vex) isa = Isa::kAvx2;
  return isa;
}

bool HasVnni() {
  const Isa isa = CurrentIsa();
  return isa == Isa::kAvxVnni || isa >= Isa::kAvx512Vnni;
}

bool HasAvx512Bf16() {
  static const bool detected = DetectBf16();
  return detected && CurrentIsa() >= Isa::kAvx512Vnni;
}

Status CapIsa(std::string_view name) {
  if (name == "auto") {
    isa_cap = Isa::kAmx;
    return {};
  }
  for (auto& [known, isa] : kNames) {
    if (name == known) {
      isa_cap = isa;
      return {};
    }
  }
  return InvalidArgument(
      "isa is \"{}\": must be auto, scalar, avx2, avx-vnni, avx512, avx512-vnni or amx", name);
}

std::string_view IsaName(Isa isa) {
  for (auto& [name, known] : kNames) {
    if (isa == known) return name;
  }
  return "unknown";
}

std::string CpuName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

}  // namespace edgegate
