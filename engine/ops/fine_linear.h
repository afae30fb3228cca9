// Linear layers of about 14 bits out of INT8 ones: weights and activations are each the sum of a
// main part and of what that leaves, quantized once more. Three of the four products are computed,
// each exact in s32, added in a fixed order; the fourth, of what is left with what is left, is what
// is missing to 16 bits. Three times the work: for layers that are few or small and whose error
// would be seen.
#pragma once

#include <string>

#include "engine/base/aligned_buffer.h"
#include "engine/ops/int8_linear.h"

namespace edgegate {

// y = (main + rest) x + bias. A view, as Int8Linear is.
struct FineLinear {
  Int8Linear main;
  Int8Linear rest;  // no bias; packed is null in a layer that is INT8 alone

  bool fine() const { return rest.packed != nullptr; }
};

// Int8MatMul for both kinds of layers, with the quantized rows that it reads. Owned by one thread,
// which is the team's master.
class FineMatMul {
 public:
  // Room for `max_rows` rows of up to `max_columns`, and as many results. `fine`: whether any layer
  // may be fine, which takes more memory.
  FineMatMul(int max_rows, int max_columns, bool fine, Int8MatMul::Backend backend);

  // The rows that `w` and layers of its kind and width read next, [rows][w.main.k].
  void Quantize(const FineLinear& w, const float* x, int64_t stride, int rows);
  // The same after RMSNorm, or after LayerNorm, as QuantizedRows has them.
  void NormalizeAndQuantize(const FineLinear& w, const float* x, int64_t stride, int rows,
                            const float* weight, float eps);
  void LayerNormAndQuantize(const FineLinear& w, const float* x, int64_t stride, int rows,
                            const float* weight, const float* bias, float eps);

  // As Int8MatMul has them.
  void Store(const FineLinear& w, float* out, int64_t stride);
  void Add(const FineLinear& w, float* out, int64_t stride);
  void SwiGlu(const FineLinear& w, float* out, int64_t stride);
  void Gelu(const FineLinear& w, float* out, int64_t stride);
  std::string Description() const { return matmul_.Description(); }

 private:
  void QuantizeNormalizedRest(const FineLinear& w);
  void AddRest(const FineLinear& w, float* out, int64_t stride);

  Int8MatMul matmul_;
  QuantizedRows main_;
  QuantizedRows rest_;         // this and what follows: empty where no layer is fine
  AlignedBuffer<float> sums_;  // what SwiGlu gates
};

}  // namespace edgegate
