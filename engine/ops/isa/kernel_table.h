// Tables of kernels. A kernel is a function that is written for one instruction set. It is a row of
// its operation's table. The row says where the kernel runs, which layout of activations it reads,
// and the sizes of its tiles. A new instruction set is a file with the function, and a row.
//
// Code that is the same for all instruction sets (rows/, packing) has no table. Highway compiles it
// for each of its targets and selects one.
#pragma once

#include <cstdint>
#include <span>

#include "engine/base/cpu_features.h"

namespace edgegate {

// The type of the activations that a kernel reads.
enum class Activations : uint8_t { kFloat, kBf16, kU8, kS8, kS16 };

// The first member of the rows of each table.
struct KernelTarget {
  const char* name;  // unique in its table, for people
  Architecture architecture;
  CpuFeatures needs;
  Activations activations;
};

// The first row of `kernels` that the current level can run; null if it can run none. The rows of a
// table are ordered from the fastest to the slowest. Kernel: a struct with a KernelTarget `target`.
// Thread-safe.
template <typename Kernel>
const Kernel* SelectKernel(std::span<const Kernel> kernels) {
  const CpuFeatures features = CurrentIsa().features;
  for (const Kernel& kernel : kernels) {
    if (features.HasAll(kernel.target.needs)) return &kernel;
  }
  return nullptr;
}

}  // namespace edgegate
