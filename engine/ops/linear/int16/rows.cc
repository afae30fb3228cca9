#include "engine/ops/linear/int16/rows.h"

#include "engine/base/thread_pool.h"
#include "engine/ops/linear/int16/kernel.h"
#include "engine/ops/linear/int16/weights.h"

namespace edgegate {

Int16Rows::Int16Rows(int max_rows, int max_columns)
    : levels_(size_t{1} * max_rows * Int16Groups(max_columns) * kInt16Group),
      floats_(size_t{1} * max_rows * max_columns),
      scale_(max_rows) {}

void Int16Rows::Quantize(const float* x, int64_t stride, int rows, int columns,
                         const RowNorm& norm) {
  const int padded = Int16Groups(columns) * kInt16Group;
  rows_ = rows;
  view_ = {levels_.data(), scale_.data(), static_cast<size_t>(padded)};
  ParallelFor(rows, [&](int row) {
    const float* values =
        norm.Apply(x + row * stride, columns, floats_.data() + int64_t{row} * columns);
    RoundToInt16(values, columns, padded, kInt16ActivationLevel,
                 levels_.data() + int64_t{row} * padded, &scale_[row]);
  });
}

}  // namespace edgegate
