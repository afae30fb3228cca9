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
#include "engine/ops/linear/int4/kernel.h"
#include "engine/ops/linear/int4/rows.h"
#include "engine/ops/linear/int4/weights.h"

namespace edgegate {

// Computes linear layers with the threads of ThreadPool::Current(). Owned by one thread.
class Int4MatMul {
 public:
  Int4MatMul() : kernel_(SelectInt4Kernel()) {}

  // As Int8MatMul has them.
  void Store(const GroupedRows& x, const Int4Linear& w, float* out, int64_t stride) const;
  void Add(const GroupedRows& x, const Int4Linear& w, float* out, int64_t stride) const;
  void SwiGlu(const GroupedRows& x, const Int4Linear& w, float* out, int64_t stride) const;
  void Gelu(const GroupedRows& x, const Int4Linear& w, float* out, int64_t stride) const;

  const char* name() const { return kernel_.target.name; }  // of the kernel, for people

 private:
  // finish(row, column, columns, sums) for each row and `blocks` 64-column blocks at a time, whose
  // sums with the bias added stand one after the other.
  template <int kBlocks, typename Finish>
  void Run(const GroupedRows& x, const Int4Linear& w, Finish finish) const;

  const Int4Kernel& kernel_;
};

}  // namespace edgegate
