#include "engine/ops/linear/int8_residual/format.h"

#include <optional>
#include <utility>

#include "engine/base/thread_pool.h"
#include "engine/ops/rows/row_ops.h"

namespace edgegate {
namespace {

constexpr char kResidual[] = ".rest";  // suffix of the residual's tensors

class Int8ResidualPacker : public LinearPacker {
 public:
  Int8ResidualPacker(TensorWriter* writer, const std::string& name, LinearShape shape,
                     std::vector<float> bias)
      : k_(shape.k), main_(writer, name, shape), scratch_(ThreadPool::CurrentThreads()) {
    // Bundles have the tensors in this order.
    WriteBias(writer, name, std::move(bias));
    residual_.emplace(writer, name + kResidual, shape);
  }

  void Pack(int block, const float* rows, int count) override {
    Scratch& scratch = scratch_[ThreadPool::Index()];
    main_.Pack(block, rows, count, &scratch.packed);
    scratch.residual.assign(rows, rows + int64_t{count} * k_);
    for (int row = 0; row < count; ++row) {
      float* residual = scratch.residual.data() + int64_t{row} * k_;
      const float scale = main_.scale()[block * kInt8Block + row];
      for (int i = 0; i < k_; ++i) {
        residual[i] -= scale * scratch.packed[(int64_t{i / 4} * kInt8Block + row) * 4 + i % 4];
      }
    }
    residual_->Pack(block, scratch.residual.data(), count, &scratch.packed);
  }

  void Finish() override {
    main_.Finish();
    residual_->Finish();
  }

 private:
  struct Scratch {
    std::vector<int8_t> packed;
    std::vector<float> residual;
  };

  const int k_;
  Int8MatrixPacker main_;
  std::optional<Int8MatrixPacker> residual_;
  std::vector<Scratch> scratch_;  // one for each thread
};

}  // namespace

bool HasInt8Residual(const TensorReader& reader, const std::string& name) {
  return reader.Has(name + kResidual + ".packed");
}

Int8ResidualLinear LoadInt8Residual(TensorReader* reader, const std::string& name,
                                    LinearShape shape, bool bias) {
  return {LoadInt8(reader, name, shape, bias), LoadInt8(reader, name + kResidual, shape, false)};
}

std::unique_ptr<LinearPacker> MakeInt8ResidualPacker(TensorWriter* writer, const std::string& name,
                                                     LinearShape shape, std::vector<float> bias) {
  return std::make_unique<Int8ResidualPacker>(writer, name, shape, std::move(bias));
}

Int8ResidualExecutor::Int8ResidualExecutor(const LinearSizes& sizes, Int8Workspace* int8)
    : int8_(*int8),
      residual_(sizes.max_rows, sizes.max_columns, int8->matmul.reads_s16()),
      sums_(size_t{2} * sizes.max_rows * Int8Padded(sizes.max_columns)) {}

void Int8ResidualExecutor::Quantize(const Int8ResidualLinear& w, const float* x, int64_t stride,
                                    int rows, const RowNorm& norm) {
  int8_.rows.Quantize(x, stride, rows, w.main.k, norm);
  residual_.QuantizeResidual(int8_.rows);
}

void Int8ResidualExecutor::AddResiduals(const Int8ResidualLinear& w, float* out, int64_t stride) {
  Int8Linear main = w.main;
  main.bias = nullptr;  // the bias is added once
  int8_.matmul.Add(int8_.rows, w.residual, out, stride);
  int8_.matmul.Add(residual_, main, out, stride);
}

void Int8ResidualExecutor::Store(const Int8ResidualLinear& w, float* out, int64_t stride) {
  int8_.matmul.Store(int8_.rows, w.main, out, stride);
  AddResiduals(w, out, stride);
}

void Int8ResidualExecutor::Add(const Int8ResidualLinear& w, float* out, int64_t stride) {
  int8_.matmul.Add(int8_.rows, w.main, out, stride);
  AddResiduals(w, out, stride);
}

void Int8ResidualExecutor::SwiGlu(const Int8ResidualLinear& w, float* out, int64_t stride) {
  const int columns = w.main.n_padded();
  Store(w, sums_.data(), columns);
  ParallelFor(int8_.rows.rows(), [&](int row) {
    const float* gate = sums_.data() + int64_t{row} * columns;
    for (int c = 0; c < columns / 2; c += kInt8Block) {
      SwiGluRow(gate + 2 * c, gate + 2 * c + kInt8Block, kInt8Block, out + row * stride + c);
    }
  });
}

void Int8ResidualExecutor::Gelu(const Int8ResidualLinear& w, float* out, int64_t stride) {
  Store(w, out, stride);
  ParallelFor(int8_.rows.rows(), [&](int row) { GeluRow(out + row * stride, w.main.n); });
}

}  // namespace edgegate
