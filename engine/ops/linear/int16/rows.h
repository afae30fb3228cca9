// Rows of activations with INT16 levels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/ops/rows/row_norm.h"

namespace edgegate {

// A view of rows: x[i] is about scale * level[i].
struct Int16RowsView {
  const int16_t* levels = nullptr;  // [rows][stride], zero from k on
  const float* scale = nullptr;     // [rows]; NaN: the row has values that are not finite
  size_t stride = 0;                // k rounded up to a multiple of kInt16Group
};

// Buffers of quantized rows. Owned by one thread.
class Int16Rows {
 public:
  // Throws std::bad_alloc.
  Int16Rows(int max_rows, int max_columns);

  // Quantizes `rows` rows, float [rows][columns], `stride` floats apart, after `norm`. Computes
  // with the threads of ThreadPool::Current().
  void Quantize(const float* x, int64_t stride, int rows, int columns, const RowNorm& norm);

  int rows() const { return rows_; }
  const Int16RowsView& view() const { return view_; }

 private:
  AlignedBuffer<int16_t> levels_;
  AlignedBuffer<float> floats_;  // rows after a norm
  std::vector<float> scale_;
  int rows_ = 0;
  Int16RowsView view_;
};

}  // namespace edgegate
