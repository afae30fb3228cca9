// 4-bit linear layers: activation rows quantized in groups times packed weights, with what comes
// after fused in. W4A8: weights of 4 bits with a scale and a minimum for each group of 32 or 64 of
// a row; activations s8, symmetric, with a scale for each group of a row, dynamic (groups as in
// llama.cpp's Q4_1 and Q8_1; per token as in QServe, arXiv:2405.04532, the error was five times as
// large). One kernel computes every batch, so that the result of a row is the same bits whatever
// the batch or the number of threads.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/aligned_buffer.h"
#include "engine/ops/int4_kernel.h"
#include "engine/ops/int4_weights.h"

namespace edgegate {

// Quantizes one row in groups, the last one filled up with zeros: `group` s8 and one of `terms` for
// each. scale = max|x| / 127, values rounded to nearest even.
void QuantizeGroups(const float* x, int columns, int group, int8_t* out, Int4Rows::Terms* terms);

// Rows of float quantized in groups. Reused from layer to layer; owned by one thread.
class GroupedRows {
 public:
  // Room for `max_rows` rows of up to `max_columns`.
  GroupedRows(int max_rows, int max_columns);

  // As QuantizedRows has them, in groups of `group`.
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

// Computes linear layers with the threads of ThreadPool::Current(). Owned by one thread.
class Int4MatMul {
 public:
  Int4MatMul() : kernel_(SelectInt4Kernel()) {}

  // As Int8MatMul has them.
  void Store(const GroupedRows& x, const Int4Linear& w, float* out, int64_t stride) const;
  void Add(const GroupedRows& x, const Int4Linear& w, float* out, int64_t stride) const;
  void SwiGlu(const GroupedRows& x, const Int4Linear& w, float* out, int64_t stride) const;
  void Gelu(const GroupedRows& x, const Int4Linear& w, float* out, int64_t stride) const;

  const char* name() const { return kernel_.name; }  // of the kernel, for people

 private:
  // finish(row, column, columns, sums) for each row and `blocks` 64-column blocks at a time, whose
  // sums with the bias added stand one after the other.
  template <int kBlocks, typename Finish>
  void Run(const GroupedRows& x, const Int4Linear& w, Finish finish) const;

  const Int4Kernel kernel_;
};

}  // namespace edgegate
