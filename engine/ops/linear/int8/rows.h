// Activation rows of an INT8 linear layer: u8 with a scale and a zero point for each row.
#pragma once

#include <cstdint>

#include "engine/base/aligned_buffer.h"
#include "engine/ops/linear/int8/kernel.h"

namespace edgegate {

// Rows behind the last that a kernel may read, whose results nobody does.
inline constexpr int kInt8SpareRows = 15;

// Rows of float quantized to u8: x[i] is about scale * (u8[i] - zero_point). Reused from layer to
// layer; owned by one thread.
class QuantizedRows {
 public:
  // Room for `max_rows` rows of up to `max_columns`.
  QuantizedRows(int max_rows, int max_columns, bool with_s16);

  // Quantizes [rows][columns] float (row stride `stride`), in parallel over the rows. Each row's
  // range is that of its values and zero.
  void Quantize(const float* x, int64_t stride, int rows, int columns);

  // The same after RMSNorm: x / sqrt(mean(x^2) + eps) * weight.
  void NormalizeAndQuantize(const float* x, int64_t stride, int rows, int columns,
                            const float* weight, float eps);

  // The same after LayerNorm (LayerNormRow).
  void LayerNormAndQuantize(const float* x, int64_t stride, int rows, int columns,
                            const float* weight, const float* bias, float eps);

  // What `main` leaves of the same rows: x - scale * (u8 - zero point).
  void QuantizeRest(const float* x, int64_t stride, int rows, int columns,
                    const QuantizedRows& main);

  // [rows][columns] float, as the last call with a norm made them.
  const float* normalized() const { return normalized_.data(); }

  int rows() const { return rows_; }
  int columns_padded() const { return static_cast<int>(view_.stride); }
  const Int8Rows& view() const { return view_; }
  const float* scale() const { return scale_.data(); }
  const int32_t* zero_point() const { return zero_point_.data(); }

 private:
  void Begin(int rows, int columns);
  void QuantizeOne(int row, const float* x, int columns);

  AlignedBuffer<uint8_t> u8_;
  AlignedBuffer<int16_t> s16_;
  AlignedBuffer<float> normalized_;  // or the rest
  AlignedBuffer<float> scale_;
  AlignedBuffer<int32_t> zero_point_;
  Int8Rows view_;
  int rows_ = 0;
};

}  // namespace edgegate
