#include "engine/ops/linear/linear.h"

#include "engine/base/thread_pool.h"
#include "engine/ops/rows/row_ops.h"

namespace edgegate {

LinearMatMul::LinearMatMul(int max_rows, int max_columns, Kinds kinds, Int8MatMul::Backend backend)
    : kinds_(kinds),
      matmul_(backend),
      main_(max_rows, max_columns, matmul_.reads_s16()),
      rest_(kinds.fine ? max_rows : 0, max_columns, matmul_.reads_s16()),
      sums_(kinds.fine ? size_t{2} * max_rows * Int8Padded(max_columns) : 0),
      grouped_(kinds.four_bits ? max_rows : 0, max_columns) {}

void LinearMatMul::Quantize(const Linear& w, const float* x, int64_t stride, int rows) {
  if (w.four_bits()) return grouped_.Quantize(x, stride, rows, w.int4.k, w.int4.group);
  main_.Quantize(x, stride, rows, w.main.k);
  if (w.fine()) rest_.QuantizeRest(x, stride, rows, w.main.k, main_);
}

void LinearMatMul::NormalizeAndQuantize(const Linear& w, const float* x, int64_t stride, int rows,
                                        const float* weight, float eps) {
  if (w.four_bits()) {
    return grouped_.NormalizeAndQuantize(x, stride, rows, w.int4.k, w.int4.group, weight, eps);
  }
  main_.NormalizeAndQuantize(x, stride, rows, w.main.k, weight, eps);
  if (w.fine()) QuantizeNormalizedRest(w);
}

void LinearMatMul::LayerNormAndQuantize(const Linear& w, const float* x, int64_t stride, int rows,
                                        const float* weight, const float* bias, float eps) {
  if (w.four_bits()) {
    return grouped_.LayerNormAndQuantize(x, stride, rows, w.int4.k, w.int4.group, weight, bias,
                                         eps);
  }
  main_.LayerNormAndQuantize(x, stride, rows, w.main.k, weight, bias, eps);
  if (w.fine()) QuantizeNormalizedRest(w);
}

void LinearMatMul::QuantizeNormalizedRest(const Linear& w) {
  rest_.QuantizeRest(main_.normalized(), w.main.k, main_.rows(), w.main.k, main_);
}

void LinearMatMul::AddRest(const Linear& w, float* out, int64_t stride) {
  Int8Linear main = w.main;
  main.bias = nullptr;  // it is added once
  matmul_.Add(main_, w.rest, out, stride);
  matmul_.Add(rest_, main, out, stride);
}

void LinearMatMul::Store(const Linear& w, float* out, int64_t stride) {
  if (w.four_bits()) return matmul4_.Store(grouped_, w.int4, out, stride);
  matmul_.Store(main_, w.main, out, stride);
  if (w.fine()) AddRest(w, out, stride);
}

void LinearMatMul::Add(const Linear& w, float* out, int64_t stride) {
  if (w.four_bits()) return matmul4_.Add(grouped_, w.int4, out, stride);
  matmul_.Add(main_, w.main, out, stride);
  if (w.fine()) AddRest(w, out, stride);
}

void LinearMatMul::SwiGlu(const Linear& w, float* out, int64_t stride) {
  if (w.four_bits()) return matmul4_.SwiGlu(grouped_, w.int4, out, stride);
  if (!w.fine()) return matmul_.SwiGlu(main_, w.main, out, stride);
  const int columns = w.main.n_padded();
  Store(w, sums_.data(), columns);
  ParallelFor(main_.rows(), [&](int row) {
    const float* gate = sums_.data() + int64_t{row} * columns;
    for (int c = 0; c < columns / 2; c += kInt8Block) {
      SwiGluRow(gate + 2 * c, gate + 2 * c + kInt8Block, kInt8Block, out + row * stride + c);
    }
  });
}

void LinearMatMul::Gelu(const Linear& w, float* out, int64_t stride) {
  if (w.four_bits()) return matmul4_.Gelu(grouped_, w.int4, out, stride);
  if (!w.fine()) return matmul_.Gelu(main_, w.main, out, stride);
  Store(w, out, stride);
  ParallelFor(main_.rows(), [&](int row) { GeluRow(out + row * stride, w.main.n); });
}

std::string LinearMatMul::Description() const {
  const std::string ours = matmul_.Description();
  return kinds_.four_bits ? ours + ", 4-bit " + matmul4_.name() : ours;
}

}  // namespace edgegate
