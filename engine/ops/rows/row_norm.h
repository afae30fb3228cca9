// The norm that rows pass before a linear layer quantizes them.
#pragma once

#include <cstdint>

namespace edgegate {

enum class NormKind : uint8_t { kNone, kRms, kLayer };

// A view of the norm's weights.
struct RowNorm {
  NormKind kind = NormKind::kNone;
  const float* weight = nullptr;  // [columns], unless kNone
  const float* bias = nullptr;    // [columns] of kLayer
  float eps = 0;

  // Normalizes the row `x` [columns] to `out` and returns `out`. kNone returns `x`.
  const float* Apply(const float* x, int columns, float* out) const;
};

}  // namespace edgegate
