// Runs a test once for each kernel of a table, or once for each instruction set. Paths that this
// processor cannot run are counted. The program prints them at its end:
//   skipped: 2 kernel paths (int8 avx512-vnni, int4 avx512-vnni)
// A test program that uses this header has tests/fakes/kernel_paths.cc among its sources.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/cpu_features.h"
#include "engine/ops/isa/isa_cap.h"
#include "engine/ops/isa/kernel_table.h"

namespace edgegate {

// Records that `path` was skipped. Each path is counted once.
void NoteSkippedPath(const std::string& path);

// Caps the instruction set to this level. False: this processor does not have it. oneDNN keeps its
// first cap, or none if it was used before. So tests of oneDNN come before the first cap of a
// program.
inline bool CapTo(std::string_view level) {
  (void)SetIsaCap(level);
  return CurrentIsa().name == level;
}

// Calls body() at each level of the instruction sets that this processor has.
template <typename Body>
void ForEachIsa(const std::string& what, Body body) {
  for (const IsaLevel& level : IsaLevels()) {
    const std::string path = what + " " + std::string(level.name);
    if (!CapTo(level.name)) {
      NoteSkippedPath(path);
      continue;
    }
    CAPTURE(path);
    body();
  }
  (void)SetIsaCap("auto");
}

// Calls body(kernel) for each row of `kernels`, at a level where this row is selected.
template <typename Kernel, typename Body>
void ForEachKernel(const std::string& table, std::span<const Kernel> kernels, Body body) {
  const auto levels = IsaLevels();
  for (const Kernel& kernel : kernels) {
    const std::string path = table + " " + kernel.target.name;
    const bool selected = std::any_of(levels.begin(), levels.end(), [&](const IsaLevel& level) {
      return CapTo(level.name) && SelectKernel(kernels) == &kernel;
    });
    if (!selected) {
      NoteSkippedPath(path);
      continue;
    }
    CAPTURE(path);
    body(kernel);
  }
  (void)SetIsaCap("auto");
}

}  // namespace edgegate
