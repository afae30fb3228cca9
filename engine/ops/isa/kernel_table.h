// Tables of kernels. A kernel is a function that is written for one instruction set. It is a row of
// its operation's table. The row states the features that the kernel needs, the type of activations
// that it reads, and the sizes of its tiles. A new instruction set needs a file with the function,
// and a row.
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

// The requirements of a kernel: the first member of the rows of each table.
struct KernelTarget {
  const char* name;  // unique in its table; appears in reports
  Architecture architecture;
  CpuFeatures needs;
  Activations activations;
};

// Returns the first row of `kernels` that the current level can run. Null: it can run none. The
// rows of a table are ordered from the fastest to the slowest. `Kernel` is a struct with a member
// `KernelTarget target`. Thread-safe.
template <typename Kernel>
const Kernel* SelectKernel(std::span<const Kernel> kernels) {
  const CpuFeatures features = CurrentIsa().features;
  for (const Kernel& kernel : kernels) {
    if (features.HasAll(kernel.target.needs)) return &kernel;
  }
  return nullptr;
}

}  // namespace edgegate
