#include "engine/ops/linear/int8/rows.h"

#include <algorithm>
#include <cstring>

#include "engine/base/ceil_div.h"
#include "engine/base/thread_pool.h"
#include "engine/ops/linear/int8/weights.h"
#include "engine/ops/rows/row_ops.h"

namespace edgegate {

QuantizedRows::QuantizedRows(int max_rows, int max_columns, const Int8Kernel& kernel)
    : u8_(size_t{1} * (max_rows + kInt8SpareRows) * Int8Padded(max_columns)),
      s16_(kernel.reads_s16() ? u8_.size() : 0),
      strips_(kernel.strips != nullptr && max_rows >= kMinStripRows ? u8_.size() : 0),
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

void QuantizedRows::FillStrip(int strip) {
  const int first = strip * kStripRows;
  uint8_t* to = strips_.data() + first * view_.stride;
  for (size_t quad = 0; quad < view_.stride / 4; ++quad) {
    const uint8_t* from = view_.u8 + first * view_.stride + 4 * quad;
    for (int r = 0; r < kStripRows; ++r, to += 4) std::memcpy(to, from + r * view_.stride, 4);
  }
}

void QuantizedRows::Quantize(const float* x, int64_t stride, int rows, int columns,
                             const RowNorm& norm) {
  rows_ = rows;
  columns_ = columns;
  const bool fill_strips = strips_.size() > 0 && rows >= kMinStripRows;
  view_ = {u8_.data(), s16_.size() ? s16_.data() : nullptr,
           static_cast<size_t>(Int8Padded(columns)), fill_strips ? strips_.data() : nullptr};
  ParallelFor(rows, [&](int row) {
    float* normalized = floats_.data() + int64_t{row} * columns_;
    QuantizeOne(row, norm.Apply(x + row * stride, columns_, normalized));
  });
  if (fill_strips) ParallelFor(CeilDiv(rows, kStripRows), [&](int strip) { FillStrip(strip); });
}

}  // namespace edgegate
