// The format of 4-bit layers (weights.h): tensors and computation.
//
// Tensors of a layer NAME: NAME.int4 for groups of 32, or NAME.int4x64 for groups of 64, in the
// layout of weights.h; NAME.bias, float [n_padded], if the layer has a bias.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/ops/linear/int4/matmul.h"
#include "engine/ops/linear/int4/rows.h"
#include "engine/ops/linear/int4/weights.h"
#include "engine/ops/linear/int8/format.h"
#include "engine/ops/linear/shape.h"
#include "engine/ops/linear/tensors.h"
#include "engine/ops/linear/weight_arena.h"

namespace edgegate {

// Returns a view of the tensors of layer NAME. `reader` stores an error.
Int4Linear LoadInt4(TensorReader* reader, const std::string& name, LinearShape shape, bool bias);

// True if layer NAME is 4-bit.
bool HasInt4(const TensorReader& reader, const std::string& name);

// Returns a layer with random levels. All groups have 64 weights and share one scale and one
// minimum. `arena` owns the memory.
Int4Linear RandomInt4(WeightArena* arena, LinearShape shape);

// Packs and writes the tensors of layer NAME, in parallel. `rows` is [n][Int4Groups(k)], and
// `group` is the number of weights of a group: 32 or 64. `bias` is [n], or empty. `writer` stores
// an error.
void WriteInt4(TensorWriter* writer, const std::string& name, const std::vector<Int4Group>& rows,
               int k, int group, std::vector<float> bias);

// The executor of this format. LinearMatMul describes the functions. Owned by one thread.
class Int4Executor {
 public:
  Int4Executor(const LinearSizes& sizes, Int8Workspace*)
      : rows_(sizes.max_rows, sizes.max_columns) {}

  void Quantize(const Int4Linear& w, const float* x, int64_t stride, int rows,
                const RowNorm& norm) {
    rows_.Quantize(x, stride, rows, w.k, w.group, norm);
  }
  void Store(const Int4Linear& w, float* out, int64_t stride) {
    matmul_.Store(rows_, w, out, stride);
  }
  void Add(const Int4Linear& w, float* out, int64_t stride) { matmul_.Add(rows_, w, out, stride); }
  void SwiGlu(const Int4Linear& w, float* out, int64_t stride) {
    matmul_.SwiGlu(rows_, w, out, stride);
  }
  void Gelu(const Int4Linear& w, float* out, int64_t stride) {
    matmul_.Gelu(rows_, w, out, stride);
  }
  std::string Description() const { return std::string("4-bit ") + matmul_.name(); }

 private:
  Int4MatMul matmul_;
  GroupedRows rows_;
};

// The entry of LinearFormats.
struct Int4Format {
  using Layer = Int4Linear;
  using Executor = Int4Executor;
  static constexpr std::string_view kName = "int4";
  static constexpr int kCheapRows = 4;  // less to read than INT8, and more to compute
  static constexpr auto Load = LoadInt4;
  static constexpr auto IsAt = HasInt4;
  static constexpr auto Random = RandomInt4;
};

}  // namespace edgegate
