// The format of INT8 layers (weights.h): tensors and computation.
//
// Tensors of a layer NAME: NAME.packed, NAME.scale and NAME.column_sum as weights.h says; NAME.bias
// [n_padded] float if the layer has a bias.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/ops/linear/int8/matmul.h"
#include "engine/ops/linear/int8/rows.h"
#include "engine/ops/linear/int8/weights.h"
#include "engine/ops/linear/packer.h"
#include "engine/ops/linear/shape.h"
#include "engine/ops/linear/tensors.h"
#include "engine/ops/linear/weight_arena.h"

namespace edgegate {

// Views the tensors of a layer. An error is kept by the reader.
Int8Linear LoadInt8(TensorReader* reader, const std::string& name, LinearShape shape, bool bias);

// Random weights, scaled so that activations stay small.
Int8Linear RandomInt8(WeightArena* arena, LinearShape shape);

MakeLinearPacker MakeInt8Packer;

// The INT8 tensors of one matrix while it is packed: `packed`, `scale` and `column_sum`. Formats
// that are built on INT8 use several.
class Int8MatrixPacker {
 public:
  Int8MatrixPacker(TensorWriter* writer, const std::string& name, LinearShape shape);

  // As LinearPacker::Pack(). `packed` is working memory; it holds the packed block afterwards.
  void Pack(int block, const float* rows, int count, std::vector<int8_t>* packed);
  void Finish();

  // Of all rows that were packed.
  const std::vector<float>& scale() const { return scale_; }

 private:
  TensorWriter* const writer_;
  const int k_;
  uint64_t packed_at_, scale_at_, sums_at_;  // offsets
  std::vector<float> scale_;
  std::vector<int32_t> sums_;
};

// Writes NAME.bias, padded with zeros, unless `bias` is empty.
void WriteBias(TensorWriter* writer, const std::string& name, std::vector<float> bias);

// The matmul and the rows of INT8 layers. Formats that are built on INT8 share them. Owned by one
// thread.
struct Int8Workspace {
  Int8Workspace(const LinearSizes& sizes, Int8MatMul::Backend backend)
      : matmul(backend), rows(sizes.max_rows, sizes.max_columns, matmul.reads_s16()) {}

  Int8MatMul matmul;
  QuantizedRows rows;
};

// Computes layers of this format. See LinearMatMul for the functions. Owned by one thread.
class Int8Executor {
 public:
  Int8Executor(const LinearSizes&, Int8Workspace* int8) : int8_(*int8) {}

  void Quantize(const Int8Linear& w, const float* x, int64_t stride, int rows,
                const RowNorm& norm) {
    int8_.rows.Quantize(x, stride, rows, w.k, norm);
  }
  void Store(const Int8Linear& w, float* out, int64_t stride) {
    int8_.matmul.Store(int8_.rows, w, out, stride);
  }
  void Add(const Int8Linear& w, float* out, int64_t stride) {
    int8_.matmul.Add(int8_.rows, w, out, stride);
  }
  void SwiGlu(const Int8Linear& w, float* out, int64_t stride) {
    int8_.matmul.SwiGlu(int8_.rows, w, out, stride);
  }
  void Gelu(const Int8Linear& w, float* out, int64_t stride) {
    int8_.matmul.Gelu(int8_.rows, w, out, stride);
  }
  std::string Description() const { return int8_.matmul.Description(); }

 private:
  Int8Workspace& int8_;
};

struct Int8ResidualFormat;  // int8_residual/format.h

struct Int8Format {
  using Layer = Int8Linear;
  using Executor = Int8Executor;
  using Residual = Int8ResidualFormat;
  static constexpr std::string_view kName = "int8";
  static constexpr int kCheapRows = 8;
  static constexpr auto Load = LoadInt8;
  static constexpr auto Random = RandomInt8;
  static constexpr auto MakePacker = MakeInt8Packer;
  static LinearShape ShapeOf(const Int8Linear& w) { return {w.n, w.k}; }
};

}  // namespace edgegate
