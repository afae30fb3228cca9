#include "engine/ops/linear/int8/rows.h"

#include <algorithm>

#include "engine/base/thread_pool.h"
#include "engine/ops/linear/int8/weights.h"
#include "engine/ops/rows/row_ops.h"

namespace edgegate {

QuantizedRows::QuantizedRows(int max_rows, int max_columns, bool with_s16)
    : u8_(size_t{1} * (max_rows + kInt8SpareRows) * Int8Padded(max_columns)),
      s16_(with_s16 ? u8_.size() : 0),
      floats_(size_t{1} * max_rows * max_columns),
      scale_(max_rows),
      zero_point_(max_rows) {}

void QuantizedRows::QuantizeOne(int row, const float* x) {
  uint8_t* out = u8_.data() + row * view_.stride;
  QuantizeRow(x, columns_, columns_padded(), out, &scale_[row], &zero_point_[row]);
  if (view_.s16 != nullptr) {
    std::copy_n(out, view_.stride, s16_.data() + row * view_.stride);
  }
}

void QuantizedRows::Quantize(const float* x, int64_t stride, int rows, int columns,
                             const RowNorm& norm) {
  rows_ = rows;
  columns_ = columns;
  view_ = {u8_.data(), s16_.size() ? s16_.data() : nullptr,
           static_cast<size_t>(Int8Padded(columns))};
  ParallelFor(rows, [&](int row) {
    float* normalized = floats_.data() + int64_t{row} * columns_;
    QuantizeOne(row, norm.Apply(x + row * stride, columns_, normalized));
  });
}

}  // namespace edgegate
