// Linear layers of any weight format.
//
// A format is a folder with a struct of its own (int8/format.h, int8_residual/format.h,
// int4/format.h): its layer, its executor and its shape. LinearFormats lists them: a new format is
// a folder and an entry there. weight_formats.h names those that a model can be packed in.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <variant>

#include "engine/ops/linear/int4/format.h"
#include "engine/ops/linear/int8/format.h"
#include "engine/ops/linear/int8_residual/format.h"
#include "engine/ops/linear/shape.h"

namespace edgegate {

template <typename... Formats>
struct FormatList {
  using Layer = std::variant<typename Formats::Layer...>;
  using Executors = std::tuple<std::unique_ptr<typename Formats::Executor>...>;
};
using LinearFormats = FormatList<Int8Format, Int8ResidualFormat, Int4Format>;

// A layer: a view of its packed weights, whose memory must outlive every user.
struct Linear {
  LinearFormats::Layer layer;

  LinearShape shape() const;
  int k() const { return shape().k; }
  int n() const { return shape().n; }
  int n_padded() const { return Int8Padded(n()); }

  template <typename Layer>
  bool Is() const {
    return std::holds_alternative<Layer>(layer);
  }
};

// The formats of some layers. A value type.
class LinearFormatSet {
 public:
  void Add(const Linear& w) { bits_ |= uint32_t{1} << w.layer.index(); }
  bool Has(size_t index) const { return (bits_ >> index & 1) != 0; }

  // Rows whose step takes about as long as that of one row: the least of the formats.
  int CheapRows() const;

 private:
  uint32_t bits_ = 0;
};

// Quantizes rows and multiplies them by layers. Owned by one thread; computes with the threads of
// ThreadPool::Current().
//
// A call of one of the first three functions quantizes rows [rows][w.k()] float, `stride` floats
// apart. They are the input of the calls of the other functions that follow, for `w` and for other
// layers of its format and width. A layer whose format the constructor was not told is an error of
// the caller.
class LinearMatMul {
 public:
  // Throws std::bad_alloc.
  LinearMatMul(const LinearSizes& sizes, LinearFormatSet formats, Int8MatMul::Backend backend);

  void Quantize(const Linear& w, const float* x, int64_t stride, int rows);
  // After RMSNorm: x / sqrt(mean(x^2) + eps) * weight.
  void NormalizeAndQuantize(const Linear& w, const float* x, int64_t stride, int rows,
                            const float* weight, float eps);
  // After LayerNorm: (x - mean(x)) / sqrt(variance(x) + eps) * weight + bias.
  void LayerNormAndQuantize(const Linear& w, const float* x, int64_t stride, int rows,
                            const float* weight, const float* bias, float eps);

  // out[r][i] = y, out[r][i] += y, or out[r][i] = gelu(y) in the tanh form, for i < w.n(), where y
  // is (row r) . w[i] + bias[i]. The rows of `out` are `stride` floats apart.
  void Store(const Linear& w, float* out, int64_t stride);
  void Add(const Linear& w, float* out, int64_t stride);
  void Gelu(const Linear& w, float* out, int64_t stride);
  // The 64-column blocks of w alternate gate and up (decoder_weights.h): out[r][i] = silu(gate) *
  // up, for i < w.n_padded() / 2.
  void SwiGlu(const Linear& w, float* out, int64_t stride);

  // Describes the backends and kernels, for people: "oneDNN brg:avx512_core_vnni, own avx512-vnni".
  std::string Description() const;

 private:
  void QuantizeRows(const Linear& w, const float* x, int64_t stride, int rows, const RowNorm& norm);

  Int8Workspace int8_;
  LinearFormats::Executors executors_;  // null: no layer has the format
};

}  // namespace edgegate
