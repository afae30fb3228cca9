// The linear layers of a model, of three kinds: INT8, "fine" and 4-bit (int4/matmul.h).
//
// A fine layer has about 14 bits out of INT8 ones: weights and activations are each the sum of a
// main part and of what that leaves, quantized once more. Three of the four products are computed,
// each exact in s32, added in a fixed order; the fourth, of what is left with what is left, is what
// is missing to 16 bits. Three times the work: for layers that are few or small and whose error
// would be seen.
#pragma once

#include <string>

#include "engine/base/aligned_buffer.h"
#include "engine/ops/linear/int4/matmul.h"
#include "engine/ops/linear/int8/matmul.h"

namespace edgegate {

// y = (main + rest) x + bias, or y = int4 x + bias. A view, as Int8Linear is.
struct Linear {
  Int8Linear main;  // k and n are 0 in a 4-bit layer
  Int8Linear rest;  // no bias; packed is null in a layer that is not fine
  Int4Linear int4;  // packed is null in a layer that is not of 4 bits

  bool fine() const { return rest.packed != nullptr; }
  bool four_bits() const { return int4.packed != nullptr; }
  int k() const { return four_bits() ? int4.k : main.k; }
  int n() const { return four_bits() ? int4.n : main.n; }
  int n_padded() const { return Int8Padded(n()); }
};

// Int8MatMul for all kinds of layers, with the quantized rows that it reads. Owned by one thread.
class LinearMatMul {
 public:
  // Which kinds of layers there are beside INT8: each takes memory for its rows.
  struct Kinds {
    bool fine = false;
    bool four_bits = false;
  };

  // Room for `max_rows` rows of up to `max_columns`, and as many results.
  LinearMatMul(int max_rows, int max_columns, Kinds kinds, Int8MatMul::Backend backend);

  // The rows that `w` and layers of its kind and width read next, [rows][w.k()].
  void Quantize(const Linear& w, const float* x, int64_t stride, int rows);
  // The same after RMSNorm, or after LayerNorm, as QuantizedRows has them.
  void NormalizeAndQuantize(const Linear& w, const float* x, int64_t stride, int rows,
                            const float* weight, float eps);
  void LayerNormAndQuantize(const Linear& w, const float* x, int64_t stride, int rows,
                            const float* weight, const float* bias, float eps);

  // As Int8MatMul has them.
  void Store(const Linear& w, float* out, int64_t stride);
  void Add(const Linear& w, float* out, int64_t stride);
  void SwiGlu(const Linear& w, float* out, int64_t stride);
  void Gelu(const Linear& w, float* out, int64_t stride);
  std::string Description() const;

 private:
  void QuantizeNormalizedRest(const Linear& w);
  void AddRest(const Linear& w, float* out, int64_t stride);

  const Kinds kinds_;
  Int8MatMul matmul_;
  QuantizedRows main_;
  QuantizedRows rest_;         // this and what follows: empty where no layer is fine
  AlignedBuffer<float> sums_;  // what SwiGlu gates
  Int4MatMul matmul4_;
  GroupedRows grouped_;  // empty where no layer is of 4 bits
};

}  // namespace edgegate
