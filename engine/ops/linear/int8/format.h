// The format of INT8 layers (weights.h): tensors and computation.
//
// Tensors of a layer NAME: NAME.packed, NAME.scale and NAME.column_sum in the layout of weights.h;
// NAME.bias, float [n_padded], if the layer has a bias.
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

// Returns a view of the tensors of layer NAME. `reader` stores an error.
Int8Linear LoadInt8(TensorReader* reader, const std::string& name, LinearShape shape, bool bias);

// Returns a layer with random weights, scaled so that activations stay small. `arena` owns the
// memory.
Int8Linear RandomInt8(WeightArena* arena, LinearShape shape);

MakeLinearPacker MakeInt8Packer;

// Packs one matrix and writes its INT8 tensors: `packed`, `scale` and `column_sum`. Formats that
// are built on INT8 use several packers.
class Int8MatrixPacker {
 public:
  Int8MatrixPacker(TensorWriter* writer, const std::string& name, LinearShape shape);

  // Packs and writes a block, as LinearPacker::Pack() does. Writes the packed block to `packed`,
  // which is working memory of the calling thread.
  void Pack(int block, const float* rows, int count, std::vector<int8_t>* packed);
  // Writes `scale` and `column_sum`. Call it once, after the last block.
  void Finish();

  // Returns the scales of all packed rows.
  const std::vector<float>& scale() const { return scale_; }

 private:
  TensorWriter* const writer_;
  const int k_;
  uint64_t packed_at_, scale_at_, sums_at_;  // offsets of the tensors
  std::vector<float> scale_;
  std::vector<int32_t> sums_;
};

// Writes NAME.bias, padded with zeros. No effect if `bias` is empty.
void WriteBias(TensorWriter* writer, const std::string& name, std::vector<float> bias);

// The matmul and the quantized rows of INT8 layers. Formats that are built on INT8 share them.
// Owned by one thread. Throws std::bad_alloc.
struct Int8Workspace {
  Int8Workspace(const LinearSizes& sizes, Int8MatMul::Backend backend)
      : matmul(backend), rows(sizes.max_rows, sizes.max_columns, matmul.kernel()) {}

  Int8MatMul matmul;
  QuantizedRows rows;
};

// The executor of this format. LinearMatMul describes the functions. Owned by one thread.
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

struct Int16Format;  // int16/format.h

struct Int8Format {
  using Layer = Int8Linear;
  using Executor = Int8Executor;
  using Narrow = Int16Format;
  static constexpr std::string_view kName = "int8";
  static constexpr int kCheapRows = 8;
  static constexpr auto Load = LoadInt8;
  static constexpr auto Random = RandomInt8;
  static constexpr auto MakePacker = MakeInt8Packer;
};

}  // namespace edgegate
