// The format of INT16 layers: about 13 bits of weights and 14 bits of activations, for layers whose
// error would be large with INT8.
//
// Both are symmetric: a weight is a level times a scale of its column, and an activation is a level
// times a scale of its row. Products of kInt16Group levels are summed exactly in s32, and these
// sums are added in float, in their order. The format takes twice the memory of INT8. Without VNNI
// it computes about as fast as INT8.
//
// Tensors of a layer NAME: NAME.int16 in the layout of Int16Linear, NAME.scale, float [n_padded],
// and NAME.bias, float [n_padded], if the layer has a bias.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/ops/linear/int16/matmul.h"
#include "engine/ops/linear/int16/rows.h"
#include "engine/ops/linear/int16/weights.h"
#include "engine/ops/linear/int8/format.h"
#include "engine/ops/linear/packer.h"
#include "engine/ops/linear/shape.h"
#include "engine/ops/linear/tensors.h"
#include "engine/ops/linear/weight_arena.h"

namespace edgegate {

// True if layer NAME has this format.
bool HasInt16(const TensorReader& reader, const std::string& name);

// Returns a view of the tensors of layer NAME. `reader` stores an error.
Int16Linear LoadInt16(TensorReader* reader, const std::string& name, LinearShape shape, bool bias);

// Returns a layer with random levels. `arena` owns the memory.
Int16Linear RandomInt16(WeightArena* arena, LinearShape shape);

MakeLinearPacker MakeInt16Packer;

// The executor of this format. LinearMatMul describes the functions. Owned by one thread.
class Int16Executor {
 public:
  Int16Executor(const LinearSizes& sizes, Int8Workspace*)
      : rows_(sizes.max_rows, sizes.max_columns) {}

  void Quantize(const Int16Linear& w, const float* x, int64_t stride, int rows,
                const RowNorm& norm) {
    rows_.Quantize(x, stride, rows, w.k, norm);
  }
  void Store(const Int16Linear& w, float* out, int64_t stride) {
    matmul_.Store(rows_, w, out, stride);
  }
  void Add(const Int16Linear& w, float* out, int64_t stride) { matmul_.Add(rows_, w, out, stride); }
  void SwiGlu(const Int16Linear& w, float* out, int64_t stride) {
    matmul_.SwiGlu(rows_, w, out, stride);
  }
  void Gelu(const Int16Linear& w, float* out, int64_t stride) {
    matmul_.Gelu(rows_, w, out, stride);
  }
  std::string Description() const { return std::string("INT16 ") + matmul_.name(); }

 private:
  Int16MatMul matmul_;
  Int16Rows rows_;
};

// The entry of LinearFormats.
struct Int16Format {
  using Layer = Int16Linear;
  using Executor = Int16Executor;
  static constexpr int kCheapRows = 8;
  static constexpr auto Load = LoadInt16;
  static constexpr auto IsAt = HasInt16;
  static constexpr auto MakePacker = MakeInt16Packer;
};

}  // namespace edgegate
