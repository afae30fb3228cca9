// Activation rows of 4-bit linear layers: s8 with a scale for each group of a row.
#pragma once

#include <cstdint>

#include "engine/base/aligned_buffer.h"
#include "engine/ops/linear/int4/kernel.h"
#include "engine/ops/rows/row_norm.h"

namespace edgegate {

// Quantizes one row, float [columns], in groups of `group` values. Fills the last group with zeros.
// Writes `group` numbers to `out` and one entry to `terms` for each group. scale = max|x| / 127;
// values are rounded to nearest even. Thread-safe.
void QuantizeGroups(const float* x, int columns, int group, int8_t* out, Int4Rows::Terms* terms);

// Rows of float that were quantized in groups. The memory is reused from layer to layer. Owned by
// one thread. Computes with the threads of ThreadPool::Current().
class GroupedRows {
 public:
  // Allocates memory for `max_rows` rows of up to `max_columns` columns. Throws std::bad_alloc.
  GroupedRows(int max_rows, int max_columns);

  // Applies `norm` to float [rows][columns], with rows `stride` floats apart, and quantizes the
  // result in groups of `group`.
  void Quantize(const float* x, int64_t stride, int rows, int columns, int group,
                const RowNorm& norm = {});

  int rows() const { return rows_; }
  // Returns the rows, valid until the next Quantize().
  const Int4Rows& view() const { return view_; }

 private:
  AlignedBuffer<int8_t> s8_;
  AlignedBuffer<Int4Rows::Terms> terms_;
  AlignedBuffer<float> normalized_;  // [rows][columns]
  Int4Rows view_;
  int rows_ = 0;
};

}  // namespace edgegate
