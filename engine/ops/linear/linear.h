// Linear layers of any weight format.
//
// A format is a folder with a struct of its own (int8/format.h, int16/format.h,
// int4/format.h). LinearFormats lists them: a new format is a folder and an entry there. The tables
// of weight_formats.h and of the quantization follow from this list.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <variant>

#include "engine/ops/linear/int16/format.h"
#include "engine/ops/linear/int4/format.h"
#include "engine/ops/linear/int8/format.h"
#include "engine/ops/linear/shape.h"

namespace edgegate {

// The members of a format:
//   Layer       a view of a layer's packed weights, with k, n and bytes(), their number of bytes
//   Executor    quantizes rows and multiplies (see LinearMatMul). Its constructor takes
//               (const LinearSizes&, Int8Workspace*)
//   kCheapRows  rows whose step takes about as long as that of one row
//   Load        (TensorReader*, name, LinearShape, bool bias) -> Layer. An error is kept by the
//               reader
//   IsAt        (const TensorReader&, name): true if layer `name` has this format. INT8 has none,
//               because a layer of no other format is INT8
//   MakePacker  MakeLinearPacker. Left out where the weights are not rounded row by row: the
//               quantization then has a row in family/decoder/layer_quantizer.cc
// A format that a model can be packed in also has:
//   kName       its name in settings and bundles
//   Random      (WeightArena*, LinearShape) -> Layer: random weights, for benchmarks
//   Narrow      the format of narrow models' layers, a type. May be left out
template <typename... Formats>
struct FormatList {
  using Layer = std::variant<typename Formats::Layer...>;
  using Executors = std::tuple<std::unique_ptr<typename Formats::Executor>...>;
};
using LinearFormats = FormatList<Int8Format, Int16Format, Int4Format>;

// A layer of any format. A view of its packed weights, whose memory must outlive every user.
struct Linear {
  LinearFormats::Layer layer;

  LinearShape shape() const;
  int64_t bytes() const;  // of the packed weights
  int k() const { return shape().k; }
  int n() const { return shape().n; }
  int n_padded() const { return Int8Padded(n()); }

  template <typename Layer>
  bool Is() const {
    return std::holds_alternative<Layer>(layer);
  }
};

// A set of the formats of some layers. A value type.
class LinearFormatSet {
 public:
  void Add(const Linear& w) { bits_ |= uint32_t{1} << w.layer.index(); }
  bool Has(size_t index) const { return (bits_ >> index & 1) != 0; }

  // A step with up to this number of rows takes about as long as a step with one row. It is the
  // minimum over the formats.
  int CheapRows() const;

 private:
  uint32_t bits_ = 0;
};

// Quantizes rows and multiplies them by layers. Owned by one thread. Computes with the threads of
// ThreadPool::Current().
//
// The first three functions quantize rows: float [rows][w.k()], `stride` floats apart. These rows
// are the input of later calls of the other functions, for `w` and for other layers with the same
// format and number of inputs. The format of each layer must be in the set that the constructor
// gets.
class LinearMatMul {
 public:
  // Allocates the buffers for layers of these formats. Throws std::bad_alloc.
  LinearMatMul(const LinearSizes& sizes, LinearFormatSet formats, Int8MatMul::Backend backend);

  void Quantize(const Linear& w, const float* x, int64_t stride, int rows);
  // Quantizes the rows after RMSNorm: x / sqrt(mean(x^2) + eps) * weight.
  void NormalizeAndQuantize(const Linear& w, const float* x, int64_t stride, int rows,
                            const float* weight, float eps);
  // Quantizes the rows after LayerNorm: (x - mean(x)) / sqrt(variance(x) + eps) * weight + bias.
  void LayerNormAndQuantize(const Linear& w, const float* x, int64_t stride, int rows,
                            const float* weight, const float* bias, float eps);

  // Set out[r][i] = y, out[r][i] += y, or out[r][i] = gelu(y) in the tanh form, for i < w.n(). Here
  // y is (row r) . w[i] + bias[i]. The rows of `out`, float, are `stride` floats apart.
  void Store(const Linear& w, float* out, int64_t stride);
  void Add(const Linear& w, float* out, int64_t stride);
  void Gelu(const Linear& w, float* out, int64_t stride);
  // Sets out[r][i] = silu(gate) * up, for i < w.n_padded() / 2. The 64-column blocks of w alternate
  // gate and up (decoder_weights.h).
  void SwiGlu(const Linear& w, float* out, int64_t stride);

  // Describes the backends and kernels, for reports: "oneDNN brg:avx512_core_vnni, own
  // avx512-vnni".
  std::string Description() const;

 private:
  void QuantizeRows(const Linear& w, const float* x, int64_t stride, int rows, const RowNorm& norm);

  Int8Workspace int8_;
  LinearFormats::Executors executors_;  // null: no layer has the format
};

}  // namespace edgegate
