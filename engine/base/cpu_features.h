// The instruction sets of this machine's processor that kernels use, and the cap of the setting
// engine.isa.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace edgegate {

enum class Architecture : uint8_t { kAny, kX86, kArm };

enum class CpuFeature : uint8_t {
  kSse4,        // SSE4.1 and SSSE3
  kSse42,       // SSE4.2, AES and PCLMULQDQ: Highway's target SSE4 needs them too
  kAvx2,        // AVX2, FMA, F16C, BMI, BMI2 and LZCNT
  kAvxVnni,     // vpdpbusd of 256 bits, VEX-encoded
  kAvx512,      // AVX-512 F, BW, DQ and VL
  kAvx512Vnni,  // vpdpbusd of 512 bits
  kAmxInt8,     // AMX tiles and their INT8 products
  kNeon,        // Advanced SIMD of ARMv8.0
  kDotprod,     // sdot
  kI8mm,        // smmla, usmmla and usdot
};

// A set of features. A value type.
class CpuFeatures {
 public:
  constexpr CpuFeatures() = default;
  constexpr CpuFeatures(std::initializer_list<CpuFeature> features) {
    for (const CpuFeature feature : features) Add(feature);
  }

  constexpr void Add(CpuFeature feature) { bits_ |= uint32_t{1} << static_cast<int>(feature); }
  constexpr bool Has(CpuFeature feature) const {
    return (bits_ >> static_cast<int>(feature) & 1) != 0;
  }
  constexpr bool HasAll(CpuFeatures other) const { return (other.bits_ & ~bits_) == 0; }
  friend constexpr CpuFeatures operator|(CpuFeatures a, CpuFeatures b) {
    a.bits_ |= b.bits_;
    return a;
  }
  friend constexpr CpuFeatures operator&(CpuFeatures a, CpuFeatures b) {
    a.bits_ &= b.bits_;
    return a;
  }
  friend constexpr bool operator==(CpuFeatures, CpuFeatures) = default;

 private:
  uint32_t bits_ = 0;
};

// A named level of an architecture. The levels are the values of engine.isa.
struct IsaLevel {
  std::string_view name;
  Architecture architecture;
  // A processor has the level if it has all of these.
  CpuFeatures features;
  // Kernels at this level also use these, where the processor has them.
  CpuFeatures optional;
  // Levels that a cap to this one allows besides it. The unused entries are empty.
  std::array<std::string_view, 6> includes;
};

// All levels of the architecture that this program was built for, from the least preferred to the
// most preferred.
std::span<const IsaLevel> IsaLevels();

// The level that this process computes at.
struct Isa {
  std::string_view name;
  CpuFeatures features;  // those of the level that the processor has
};

// The most preferred level that the processor has and that the cap allows. Thread-safe and cheap.
const Isa& CurrentIsa();

// Sets the cap: "auto" (none) or the name of a level. kInvalidArgument for another name. Kernels
// that were selected before keep their level: ops/isa/isa_cap.h caps the libraries too.
Status CapIsa(std::string_view name);

}  // namespace edgegate
