#include "engine/base/cpu_features.h"

#include <algorithm>
#include <atomic>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace edgegate {
namespace {

using enum CpuFeature;

#if defined(__x86_64__)
// A test build assumes what tests/x86/emulate.c emulates on a processor with AVX2.
constexpr CpuFeatures kOfEmulator = {kAvxVnni, kAmxInt8};
#ifdef EDGEGATE_EMULATED
constexpr bool kEmulated = true;
constexpr CpuFeatures kOfAmx = {kSse4, kAvx2, kAvxVnni, kAmxInt8};
#else
constexpr bool kEmulated = false;
constexpr CpuFeatures kOfAmx = {kSse4, kAvx2, kAvx512, kAvx512Vnni, kAmxInt8};
#endif
#endif

constexpr IsaLevel kLevels[] = {
    {.name = "scalar",
     .architecture = Architecture::kAny,
     .features = {},
     .optional = {},
     .includes = {}},
#if defined(__x86_64__)
    {.name = "sse4",
     .architecture = Architecture::kX86,
     .features = {kSse4},
     .optional = {kSse42},
     .includes = {"scalar"}},
    {.name = "avx2",
     .architecture = Architecture::kX86,
     .features = {kSse4, kAvx2},
     .optional = {},
     .includes = {"scalar", "sse4"}},
    {.name = "avx-vnni",
     .architecture = Architecture::kX86,
     .features = {kSse4, kAvx2, kAvxVnni},
     .optional = {},
     .includes = {"scalar", "sse4", "avx2"}},
    {.name = "avx512",
     .architecture = Architecture::kX86,
     .features = {kSse4, kAvx2, kAvx512},
     .optional = {},
     .includes = {"scalar", "sse4", "avx2", "avx-vnni"}},
    {.name = "avx512-vnni",
     .architecture = Architecture::kX86,
     .features = {kSse4, kAvx2, kAvx512, kAvx512Vnni},
     .optional = {},
     .includes = {"scalar", "sse4", "avx2", "avx-vnni", "avx512"}},
    {.name = "amx",
     .architecture = Architecture::kX86,
     .features = kOfAmx,
     .optional = {},
     .includes = {"scalar", "sse4", "avx2", "avx-vnni", "avx512", "avx512-vnni"}},
#elif defined(__aarch64__)
    {.name = "neon",
     .architecture = Architecture::kArm,
     .features = {kNeon},
     .optional = {},
     .includes = {"scalar"}},
    {.name = "dotprod",
     .architecture = Architecture::kArm,
     .features = {kNeon, kDotprod},
     .optional = {},
     .includes = {"scalar", "neon"}},
    {.name = "i8mm",
     .architecture = Architecture::kArm,
     .features = {kNeon, kDotprod, kI8mm},
     .optional = {},
     .includes = {"scalar", "neon", "dotprod"}},
#endif
};
constexpr int kNoCap = static_cast<int>(std::size(kLevels));

#if defined(__x86_64__)
// Bit `bit` of a CPUID leaf's register (0 eax .. 3 edx).
bool CpuidBit(unsigned leaf, unsigned subleaf, int reg, int bit) {
  unsigned r[4] = {};
  if (!__get_cpuid_count(leaf, subleaf, &r[0], &r[1], &r[2], &r[3])) return false;
  return (r[reg] >> bit) & 1;
}

// Asks Linux to save the tile registers of this process (Documentation/arch/x86/xstate.rst). False:
// it does not, and a use of them would end the process.
bool MayUseTiles() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

CpuFeatures DetectFeatures() {
  CpuFeatures features;
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("sse4.1") || !__builtin_cpu_supports("ssse3")) return features;
  features.Add(kSse4);
  // These are the bits of PCLMULQDQ, SSE4.2 and AES in leaf 1.
  if (CpuidBit(1, 0, 2, 1) && CpuidBit(1, 0, 2, 20) && CpuidBit(1, 0, 2, 25)) features.Add(kSse42);
  // These also check that the operating system saves the registers.
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return features;
  const bool f16c = CpuidBit(1, 0, 2, 29), bmi = CpuidBit(7, 0, 1, 3), bmi2 = CpuidBit(7, 0, 1, 8);
  const bool lzcnt = CpuidBit(0x80000001, 0, 2, 5);
  if (!f16c || !bmi || !bmi2 || !lzcnt) return features;
  features.Add(kAvx2);
  if (kEmulated) return features | kOfEmulator;
  if (CpuidBit(7, 1, 0, 4)) features.Add(kAvxVnni);
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl")) {
    return features;
  }
  features.Add(kAvx512);
  if (__builtin_cpu_supports("avx512vnni")) features.Add(kAvx512Vnni);
  if (CpuidBit(7, 0, 3, 24) && CpuidBit(7, 0, 3, 25) && MayUseTiles()) features.Add(kAmxInt8);
  return features;
}
#elif defined(__aarch64__)
// Older headers of the C library have no names for these bits of the auxiliary vector.
constexpr unsigned long kHwcapAsimd = 1ul << 1, kHwcapDotprod = 1ul << 20, kHwcap2I8mm = 1ul << 13;

CpuFeatures DetectFeatures() {
  CpuFeatures features;
  const unsigned long first = getauxval(AT_HWCAP), second = getauxval(AT_HWCAP2);
  if ((first & kHwcapAsimd) == 0) return features;
  features.Add(kNeon);
  if ((first & kHwcapDotprod) != 0) features.Add(kDotprod);
  if ((second & kHwcap2I8mm) != 0) features.Add(kI8mm);
  return features;
}
#else
CpuFeatures DetectFeatures() { return {}; }
#endif

// `cap`: an index of kLevels, or kNoCap.
bool Allows(int cap, const IsaLevel& level) {
  if (cap == kNoCap || level.name == kLevels[cap].name) return true;
  const auto& included = kLevels[cap].includes;
  return std::find(included.begin(), included.end(), level.name) != included.end();
}

// The current level for each cap.
std::array<Isa, kNoCap + 1> LevelsOfCaps() {
  const CpuFeatures detected = DetectFeatures();
  std::array<Isa, kNoCap + 1> best;
  for (int cap = 0; cap <= kNoCap; ++cap) {
    for (const IsaLevel& level : kLevels) {
      if (!Allows(cap, level) || !detected.HasAll(level.features)) continue;
      best[static_cast<size_t>(cap)] = {level.name, detected & (level.features | level.optional)};
    }
  }
  return best;
}

std::atomic<int> current_cap{kNoCap};

}  // namespace

std::span<const IsaLevel> IsaLevels() { return kLevels; }

const Isa& CurrentIsa() {
  static const auto levels = LevelsOfCaps();
  return levels[static_cast<size_t>(current_cap.load(std::memory_order_relaxed))];
}

Status CapIsa(std::string_view name) {
  std::string known = "auto";
  for (int i = 0; i <= kNoCap; ++i) {
    const std::string_view level = i == kNoCap ? "auto" : kLevels[i].name;
    if (name == level) {
      current_cap = i;
      return {};
    }
    if (i < kNoCap) known += (i + 1 == kNoCap ? " or " : ", ") + std::string(level);
  }
  return InvalidArgument("isa is \"{}\": must be {}", name, known);
}

}  // namespace edgegate
