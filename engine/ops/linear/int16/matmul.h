// INT16 linear layers: quantized activation rows times packed weights, with a fused epilogue. One
// kernel computes every batch. So the result of a row is the same bits for any batch and number of
// threads.
#pragma once

#include <cstdint>

#include "engine/ops/linear/int16/kernel.h"
#include "engine/ops/linear/int16/rows.h"
#include "engine/ops/linear/int16/weights.h"

namespace edgegate {

// Computes linear layers with the threads of ThreadPool::Current(). Owned by one thread.
class Int16MatMul {
 public:
  Int16MatMul() : kernel_(SelectInt16Kernel()) {}

  // See LinearMatMul. `out` is float [rows][n], with rows `stride` floats apart.
  void Store(const Int16Rows& x, const Int16Linear& w, float* out, int64_t stride) const;
  void Add(const Int16Rows& x, const Int16Linear& w, float* out, int64_t stride) const;
  void SwiGlu(const Int16Rows& x, const Int16Linear& w, float* out, int64_t stride) const;
  void Gelu(const Int16Rows& x, const Int16Linear& w, float* out, int64_t stride) const;

  const char* name() const { return kernel_.target.name; }  // name of the kernel, for reports

 private:
  auto Tiles(const Int16Rows& x, const Int16Linear& w) const;

  const Int16Kernel& kernel_;
};

}  // namespace edgegate
