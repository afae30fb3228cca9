#include "engine/ops/fine_linear.h"

#include "engine/ops/row_ops.h"

namespace edgegate {

FineMatMul::FineMatMul(int max_rows, int max_columns, bool fine, Int8MatMul::Backend backend)
    : matmul_(max_rows, backend),
      main_(max_rows, max_columns, matmul_.wants_s16()),
      rest_(fine ? max_rows : 0, max_columns, matmul_.wants_s16()),
      sums_(fine ? size_t{2} * max_rows * Int8Padded(max_columns) : 0) {}

void FineMatMul::Quantize(const FineLinear& w, const float* x, int64_t stride, int rows) {
  main_.Quantize(x, stride, rows, w.main.k);
  if (w.fine()) rest_.QuantizeRest(x, stride, rows, w.main.k, main_);
}

void FineMatMul::NormalizeAndQuantize(const FineLinear& w, const float* x, int64_t stride, int rows,
                                      const float* weight, float eps) {
  main_.NormalizeAndQuantize(x, stride, rows, w.main.k, weight, eps);
  if (w.fine()) QuantizeNormalizedRest(w);
}

void FineMatMul::LayerNormAndQuantize(const FineLinear& w, const float* x, int64_t stride, int rows,
                                      const float* weight, const float* bias, float eps) {
  main_.LayerNormAndQuantize(x, stride, rows, w.main.k, weight, bias, eps);
  if (w.fine()) QuantizeNormalizedRest(w);
}

void FineMatMul::QuantizeNormalizedRest(const FineLinear& w) {
  rest_.QuantizeRest(main_.normalized(), w.main.k, main_.rows(), w.main.k, main_);
}

void FineMatMul::AddRest(const FineLinear& w, float* out, int64_t stride) {
  Int8Linear main = w.main;
  main.bias = nullptr;  // it is added once
  matmul_.Add(main_, w.rest, out, stride);
  matmul_.Add(rest_, main, out, stride);
}

void FineMatMul::Store(const FineLinear& w, float* out, int64_t stride) {
  matmul_.Store(main_, w.main, out, stride);
  if (w.fine()) AddRest(w, out, stride);
}

void FineMatMul::Add(const FineLinear& w, float* out, int64_t stride) {
  matmul_.Add(main_, w.main, out, stride);
  if (w.fine()) AddRest(w, out, stride);
}

void FineMatMul::SwiGlu(const FineLinear& w, float* out, int64_t stride) {
  if (!w.fine()) return matmul_.SwiGlu(main_, w.main, out, stride);
  const int columns = w.main.n_padded();
  Store(w, sums_.data(), columns);
#pragma omp parallel for schedule(static)
  for (int row = 0; row < main_.rows(); ++row) {
    const float* gate = sums_.data() + int64_t{row} * columns;
    for (int c = 0; c < columns / 2; c += kInt8Block) {
      SwiGluRow(gate + 2 * c, gate + 2 * c + kInt8Block, kInt8Block, out + row * stride + c);
    }
  }
}

void FineMatMul::Gelu(const FineLinear& w, float* out, int64_t stride) {
  if (!w.fine()) return matmul_.Gelu(main_, w.main, out, stride);
  Store(w, out, stride);
#pragma omp parallel for schedule(static)
  for (int row = 0; row < main_.rows(); ++row) GeluRow(out + row * stride, w.main.n);
}

}  // namespace edgegate
