// 4-bit linear layers: activation rows, quantized in groups, times packed weights, with a fused
// epilogue. The scheme is W4A8. Weights have 4 bits, with a scale and a minimum for each group of
// 32 or 64 weights of a row, as in llama.cpp's Q4_1. Activations are s8, symmetric, dynamic, with a
// scale for each group of a row, as in Q8_1. With one scale for each row, as in QServe (Lin et al.
// 2024, arXiv:2405.04532), the error was five times as large. One kernel computes every batch. So
// the result of a row is the same bits for any batch and number of threads.
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

  // See the functions of Int8MatMul. `out` is float [rows][n], with rows `stride` floats apart. `x`
  // must be quantized in groups of w.group.
  void Store(const GroupedRows& x, const Int4Linear& w, float* out, int64_t stride) const;
  void Add(const GroupedRows& x, const Int4Linear& w, float* out, int64_t stride) const;
  void SwiGlu(const GroupedRows& x, const Int4Linear& w, float* out, int64_t stride) const;
  void Gelu(const GroupedRows& x, const Int4Linear& w, float* out, int64_t stride) const;

  const char* name() const { return kernel_.target.name; }  // name of the kernel, for reports

 private:
  auto Tiles(const GroupedRows& x, const Int4Linear& w) const;

  const Int4Kernel& kernel_;
};

}  // namespace edgegate
