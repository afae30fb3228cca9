// Activation rows of 4-bit linear layers: s8 with a scale for each group of a row.
#pragma once

#include <cstdint>

#include "engine/base/aligned_buffer.h"
#include "engine/ops/linear/int4/kernel.h"
#include "engine/ops/rows/row_norm.h"

namespace edgegate {

// Quantizes one row in groups; zeros fill the last group. Each group gives `group` numbers in `out`
// and one entry of `terms`. scale = max|x| / 127, values rounded to nearest even.
void QuantizeGroups(const float* x, int columns, int group, int8_t* out, Int4Rows::Terms* terms);

// Rows of float quantized in groups. Reused from layer to layer. Owned by one thread; computes with
// the threads of ThreadPool::Current().
class GroupedRows {
 public:
  // Room for `max_rows` rows of up to `max_columns`.
  GroupedRows(int max_rows, int max_columns);

  // Applies `norm` to [rows][columns] float (row stride `stride`) and quantizes the result in
  // groups of `group`.
  void Quantize(const float* x, int64_t stride, int rows, int columns, int group,
                const RowNorm& norm = {});

  int rows() const { return rows_; }
  const Int4Rows& view() const { return view_; }

 private:
  AlignedBuffer<int8_t> s8_;
  AlignedBuffer<Int4Rows::Terms> terms_;
  AlignedBuffer<float> normalized_;  // [rows][columns]
  Int4Rows view_;
  int rows_ = 0;
};

}  // namespace edgegate
