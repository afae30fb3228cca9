// Activation rows of a 4-bit linear layer: s8 with a scale for each group of a row.
#pragma once

#include <cstdint>

#include "engine/base/aligned_buffer.h"
#include "engine/ops/linear/int4/kernel.h"

namespace edgegate {

// Quantizes one row in groups, the last one filled up with zeros: `group` s8 and one of `terms` for
// each. scale = max|x| / 127, values rounded to nearest even.
void QuantizeGroups(const float* x, int columns, int group, int8_t* out, Int4Rows::Terms* terms);

// Rows of float quantized in groups. Reused from layer to layer; owned by one thread.
class GroupedRows {
 public:
  // Room for `max_rows` rows of up to `max_columns`.
  GroupedRows(int max_rows, int max_columns);

  // The methods of QuantizedRows, in groups of `group`.
  void Quantize(const float* x, int64_t stride, int rows, int columns, int group);
  void NormalizeAndQuantize(const float* x, int64_t stride, int rows, int columns, int group,
                            const float* weight, float eps);
  void LayerNormAndQuantize(const float* x, int64_t stride, int rows, int columns, int group,
                            const float* weight, const float* bias, float eps);

  int rows() const { return rows_; }
  const Int4Rows& view() const { return view_; }

 private:
  // Quantizes row by row what from(row) gives, in parallel.
  template <typename From>
  void EachRow(int rows, int columns, int group, From from);

  AlignedBuffer<int8_t> s8_;
  AlignedBuffer<Int4Rows::Terms> terms_;
  AlignedBuffer<float> normalized_;
  Int4Rows view_;
  int rows_ = 0;
};

}  // namespace edgegate
