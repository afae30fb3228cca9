// The format of INT8 layers with a residual: about 14 bits of precision from INT8 products.
//
// Weights and activations are each the sum of an INT8 part and an INT8 residual. The residual is
// the difference between a value and its INT8 part, quantized a second time. Three of the four
// products are computed, each exactly in s32, and added in a fixed order. The product of the two
// residuals is omitted, which is why the precision is 14 bits and not 16. The cost is three times
// that of INT8. So the format is for layers that are few or small and whose error is large.
//
// Tensors of a layer NAME: those of the INT8 format, and NAME.rest.{packed, scale, column_sum} for
// the residual.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/ops/linear/int8/format.h"

namespace edgegate {

// A linear layer y = (main + residual) x + bias. A view: the memory must outlive every user.
struct Int8ResidualLinear {
  Int8Linear main;
  Int8Linear residual;  // same shape as main, without a bias
};

// True if the tensors of layer NAME include a residual.
bool HasInt8Residual(const TensorReader& reader, const std::string& name);

// Returns a view of the tensors of layer NAME. `reader` stores an error.
Int8ResidualLinear LoadInt8Residual(TensorReader* reader, const std::string& name,
                                    LinearShape shape, bool bias);

MakeLinearPacker MakeInt8ResidualPacker;

// The executor of this format. LinearMatMul describes the functions. Owned by one thread.
class Int8ResidualExecutor {
 public:
  Int8ResidualExecutor(const LinearSizes& sizes, Int8Workspace* int8);

  void Quantize(const Int8ResidualLinear& w, const float* x, int64_t stride, int rows,
                const RowNorm& norm);
  void Store(const Int8ResidualLinear& w, float* out, int64_t stride);
  void Add(const Int8ResidualLinear& w, float* out, int64_t stride);
  void SwiGlu(const Int8ResidualLinear& w, float* out, int64_t stride);
  void Gelu(const Int8ResidualLinear& w, float* out, int64_t stride);
  std::string Description() const { return {}; }  // the INT8 executor describes it

 private:
  // Adds the two products that contain one residual.
  void AddResiduals(const Int8ResidualLinear& w, float* out, int64_t stride);

  Int8Workspace& int8_;
  QuantizedRows residual_;
  AlignedBuffer<float> sums_;  // [rows][n_padded]: the input of SwiGlu
};

// The entry of LinearFormats.
struct Int8ResidualFormat {
  using Layer = Int8ResidualLinear;
  using Executor = Int8ResidualExecutor;
  static constexpr int kCheapRows = 8;
  static constexpr auto IsAt = HasInt8Residual;
  static constexpr auto Load = LoadInt8Residual;
  static constexpr auto MakePacker = MakeInt8ResidualPacker;
  static LinearShape ShapeOf(const Int8ResidualLinear& w) { return {w.main.n, w.main.k}; }
};

}  // namespace edgegate
