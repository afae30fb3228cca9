// Activation rows of INT8 linear layers: u8 with a scale and a zero point for each row.
#pragma once

#include <cstdint>

#include "engine/base/aligned_buffer.h"
#include "engine/ops/linear/int8/kernel.h"
#include "engine/ops/rows/row_norm.h"

namespace edgegate {

// Kernels may read up to this many rows past the last row. The results of those rows are ignored.
inline constexpr int kInt8SpareRows = 15;

// Rows of float that were quantized to u8: x[i] is about scale * (u8[i] - zero_point). The memory
// is reused from layer to layer. Owned by one thread. Computes with the threads of
// ThreadPool::Current().
class QuantizedRows {
 public:
  // Allocates memory for `max_rows` rows of up to `max_columns` columns, in the layouts that
  // `kernel` reads. Throws std::bad_alloc.
  QuantizedRows(int max_rows, int max_columns, const Int8Kernel& kernel);

  // Applies `norm` to float [rows][columns], with rows `stride` floats apart, and quantizes the
  // result. The range of a row covers its values and zero.
  void Quantize(const float* x, int64_t stride, int rows, int columns, const RowNorm& norm = {});

  // The rows, and their scales and zero points, each [rows()]. Valid until the next Quantize().
  int rows() const { return rows_; }
  int columns_padded() const { return static_cast<int>(view_.stride); }
  const Int8Rows& view() const { return view_; }
  const float* scale() const { return scale_.data(); }
  const int32_t* zero_point() const { return zero_point_.data(); }

 private:
  void QuantizeOne(int row, const float* x);
  void FillStrip(int strip);

  AlignedBuffer<uint8_t> u8_;
  AlignedBuffer<int16_t> s16_;
  AlignedBuffer<uint8_t> strips_;
  AlignedBuffer<float> floats_;  // [rows][columns]: rows after a norm
  AlignedBuffer<float> scale_;
  AlignedBuffer<int32_t> zero_point_;
  Int8Rows view_;
  int rows_ = 0;
  int columns_ = 0;
};

}  // namespace edgegate
