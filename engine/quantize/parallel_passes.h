// Parallel passes over the elements of large arrays.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/thread_pool.h"
#include "engine/ops/rows/row_ops.h"

namespace edgegate {

// Calls body(first, end) for ranges that together are [0, count), in parallel. The ranges do not
// depend on the number of threads.
template <typename Body>
void ForRanges(int64_t count, const Body& body) {
  constexpr int64_t kElements = int64_t{1} << 14;  // 64 KiB of floats
  ParallelFor((count + kElements - 1) / kElements, [&](int64_t range) {
    body(range * kElements, std::min(count, (range + 1) * kElements));
  });
}

// Calls body(i), which returns a Status, for each i in [0, count), in parallel. Makes all calls,
// and returns the first error in the order of i.
template <typename Body>
Status ParallelForStatus(int count, const Body& body) {
  std::vector<Status> all(static_cast<size_t>(count));
  ParallelFor(count, [&](int i) { all[i] = body(i); });
  const auto failed = std::find_if(all.begin(), all.end(), [](const Status& s) { return !s.ok(); });
  return failed == all.end() ? Status() : *failed;
}

// Sets to[i] += x[i], in parallel.
inline void AddTo(std::vector<float>* to, const std::vector<float>& x) {
  ForRanges(std::ssize(x), [&](int64_t first, int64_t end) {
    AddRow(x.data() + first, static_cast<int>(end - first), to->data() + first);
  });
}

// Replaces each value by its GELU, in parallel. `gelu` is GeluRow or GeluErfRow.
inline void ApplyGelu(void (*gelu)(float* x, int columns), std::vector<float>* values) {
  ForRanges(std::ssize(*values), [&](int64_t first, int64_t end) {
    gelu(values->data() + first, static_cast<int>(end - first));
  });
}

// Sets gate[i] = silu(gate[i]) * up[i], in parallel.
inline void GateWith(const std::vector<float>& up, std::vector<float>* gate) {
  ForRanges(std::ssize(up), [&](int64_t first, int64_t end) {
    float* values = gate->data() + first;
    SwiGluRow(values, up.data() + first, static_cast<int>(end - first), values);
  });
}

}  // namespace edgegate
