#include "engine/ops/rows/row_norm.h"

#include "engine/ops/rows/row_ops.h"

namespace edgegate {

const float* RowNorm::Apply(const float* x, int columns, float* out) const {
  switch (kind) {
    case NormKind::kNone:
      return x;
    case NormKind::kRms:
      RmsNormRow(x, weight, columns, eps, out);
      break;
    case NormKind::kLayer:
      LayerNormRow(x, weight, bias, columns, eps, out);
      break;
  }
  return out;
}

}  // namespace edgegate
