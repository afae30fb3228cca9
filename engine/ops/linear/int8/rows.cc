#include "engine/ops/linear/int8/rows.h"

#include <algorithm>

#include "engine/base/thread_pool.h"
#include "engine/ops/linear/int8/weights.h"
#include "engine/ops/rows/row_ops.h"

namespace edgegate {

QuantizedRows::QuantizedRows(int max_rows, int max_columns, bool with_s16)
    : u8_(size_t{1} * (max_rows + kInt8SpareRows) * Int8Padded(max_columns)),
      s16_(with_s16 ? u8_.size() : 0),
      normalized_(size_t{1} * max_rows * max_columns),
      scale_(max_rows),
      zero_point_(max_rows) {}

void QuantizedRows::Begin(int rows, int columns) {
  rows_ = rows;
  view_ = {u8_.data(), s16_.size() ? s16_.data() : nullptr,
           static_cast<size_t>(Int8Padded(columns))};
}

void QuantizedRows::QuantizeOne(int row, const float* x, int columns) {
  uint8_t* out = u8_.data() + row * view_.stride;
  QuantizeRow(x, columns, columns_padded(), out, &scale_[row], &zero_point_[row]);
  if (view_.s16 != nullptr) {
    std::copy_n(out, view_.stride, s16_.data() + row * view_.stride);
  }
}

void QuantizedRows::Quantize(const float* x, int64_t stride, int rows, int columns) {
  Begin(rows, columns);
  ParallelFor(rows, [&](int row) { QuantizeOne(row, x + row * stride, columns); });
}

void QuantizedRows::NormalizeAndQuantize(const float* x, int64_t stride, int rows, int columns,
                                         const float* weight, float eps) {
  Begin(rows, columns);
  ParallelFor(rows, [&](int row) {
    float* normalized = normalized_.data() + int64_t{row} * columns;
    RmsNormRow(x + row * stride, weight, columns, eps, normalized);
    QuantizeOne(row, normalized, columns);
  });
}

void QuantizedRows::LayerNormAndQuantize(const float* x, int64_t stride, int rows, int columns,
                                         const float* weight, const float* bias, float eps) {
  Begin(rows, columns);
  ParallelFor(rows, [&](int row) {
    float* normalized = normalized_.data() + int64_t{row} * columns;
    LayerNormRow(x + row * stride, weight, bias, columns, eps, normalized);
    QuantizeOne(row, normalized, columns);
  });
}

void QuantizedRows::QuantizeRest(const float* x, int64_t stride, int rows, int columns,
                                 const QuantizedRows& main) {
  Begin(rows, columns);
  ParallelFor(rows, [&](int row) {
    const uint8_t* bytes = main.u8_.data() + row * main.view_.stride;
    const float* from = x + row * stride;
    float* rest = normalized_.data() + int64_t{row} * columns;
    for (int c = 0; c < columns; ++c) {
      rest[c] = from[c] - main.scale_[row] * static_cast<float>(bytes[c] - main.zero_point_[row]);
    }
    QuantizeOne(row, rest, columns);
  });
}

}  // namespace edgegate
