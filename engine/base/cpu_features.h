// What this machine's processor can do, as far as the kernels care, capped by a setting.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace edgegate {

enum class Isa {
  kScalar,
  kAvx2,        // AVX2, FMA, F16C: no fast INT8 dot product
  kAvxVnni,     // AVX2 and 256-bit vpdpbusd
  kAvx512,      // AVX-512 F/BW/DQ/VL without VNNI
  kAvx512Vnni,  // and 512-bit vpdpbusd
  kAmx,         // and AMX-INT8 tiles
};

// The best instruction set of this machine, lowered to the cap if one was set.
Isa CurrentIsa();

// Whether it has vpdpbusd, of 256 or 512 bits.
bool HasVnni();

// Whether there are AVX-512's dot products of bf16, which the cap allows from avx512-vnni on.
bool HasAvx512Bf16();

// Caps the instruction set for every kernel, oneDNN's included. "auto" (no cap), "scalar", "avx2",
// "avx-vnni", "avx512", "avx512-vnni" or "amx". Call before the first kernel runs; later calls may
// have no effect on oneDNN.
Status CapIsa(std::string_view name);

std::string_view IsaName(Isa isa);

// The processor's name as /proc/cpuinfo has it, or "unknown".
std::string CpuName();

}  // namespace edgegate
