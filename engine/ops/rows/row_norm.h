// The norm that is applied to rows before a linear layer quantizes them.
#pragma once

#include <cstdint>

namespace edgegate {

enum class NormKind : uint8_t { kNone, kRms, kLayer };

// A norm and a view of its weights, which must outlive every user.
struct RowNorm {
  NormKind kind = NormKind::kNone;
  const float* weight = nullptr;  // [columns]; null for kNone
  const float* bias = nullptr;    // [columns] for kLayer
  float eps = 0;

  // Normalizes the row `x`, float [columns], to `out` and returns `out`. If the kind is kNone,
  // returns `x` and leaves `out` unchanged. Thread-safe.
  const float* Apply(const float* x, int columns, float* out) const;
};

}  // namespace edgegate
