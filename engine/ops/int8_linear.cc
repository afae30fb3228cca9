#include "engine/ops/int8_linear.h"

#include <algorithm>

#include "engine/ops/int8_onednn.h"
#include "engine/ops/row_ops.h"

namespace edgegate {
namespace {

constexpr int kBlock = kInt8Block;
// s32 results of one oneDNN call: small enough to stay in the second-level caches until the
// epilogue has read them.
constexpr int64_t kPanelElements = int64_t{1} << 19;
// oneDNN takes batches of so many rows and more,
constexpr int kFewestOneDnnRows = 32;
// in multiples of so many, so that it builds few kernels.
constexpr int kOneDnnRows = kInt8SpareRows + 1;

ColumnTerms TermsAt(const Int8Linear& w, int column) {
  return {w.scale + column, w.column_sum + column, w.bias ? w.bias + column : nullptr};
}

}  // namespace

struct Int8MatMul::Job {
  const QuantizedRows& x;
  const Int8Linear& w;
  Epilogue epilogue;
  float* out;
  int64_t stride;

  // Column blocks that the epilogue needs together.
  int group() const { return epilogue == Epilogue::kSwiGlu ? 2 : 1; }

  // `acc`: exact sums of row `row`, of `blocks` column blocks from `block` on; SwiGlu's first up
  // block stands at `acc_up`, and gates and ups take turns.
  void Finish(int row, int block, int blocks, const int32_t* acc, const int32_t* acc_up) const {
    const float scale = x.scale()[row];
    const int32_t zero = x.zero_point()[row];
    const int column = block * kBlock;
    const int columns = std::min(blocks * kBlock, w.n - column);
    float* to = out + row * stride;
    switch (epilogue) {
      case Epilogue::kStore:
        return EpilogueStore(acc, columns, scale, zero, TermsAt(w, column), to + column);
      case Epilogue::kAdd:
        return EpilogueAdd(acc, columns, scale, zero, TermsAt(w, column), to + column);
      case Epilogue::kGelu:
        return EpilogueGelu(acc, columns, scale, zero, TermsAt(w, column), to + column);
      case Epilogue::kSwiGlu:
        return EpilogueSwiGlu(acc, acc_up, blocks / 2, kBlock, scale, zero, TermsAt(w, column),
                              TermsAt(w, column + kBlock), to + column / 2);
    }
  }
};

Int8MatMul::Int8MatMul(int max_rows, Backend backend)
    : backend_(backend), kernel_(SelectInt8Kernel()) {
  if (backend != Backend::kOwn) one_dnn_ = OneDnnInt8::Make();
  if (!one_dnn_) return;
  const int64_t narrowest = int64_t{max_rows + kInt8SpareRows} * 2 * kBlock;
  scratch_.Reset(std::max(kPanelElements, narrowest));
}

Int8MatMul::~Int8MatMul() = default;

void Int8MatMul::Store(const QuantizedRows& x, const Int8Linear& w, float* out, int64_t stride) {
  Run({x, w, Epilogue::kStore, out, stride});
}

void Int8MatMul::Add(const QuantizedRows& x, const Int8Linear& w, float* out, int64_t stride) {
  Run({x, w, Epilogue::kAdd, out, stride});
}

void Int8MatMul::SwiGlu(const QuantizedRows& x, const Int8Linear& w, float* out, int64_t stride) {
  Run({x, w, Epilogue::kSwiGlu, out, stride});
}

void Int8MatMul::Gelu(const QuantizedRows& x, const Int8Linear& w, float* out, int64_t stride) {
  Run({x, w, Epilogue::kGelu, out, stride});
}

void Int8MatMul::Run(const Job& job) {
  const int threshold = backend_ == Backend::kOneDnn ? 1 : kFewestOneDnnRows;
  if (one_dnn_ && job.x.rows() >= threshold) {
    RunOneDnn(job);
  } else {
    RunOwn(job, 0, 0, job.w.n_padded() / kBlock);
  }
}

// Rows from `first_row` on, column blocks [first_block, end_block). Each thread takes whole column
// blocks, in order, so that the weights are read once, as a stream.
void Int8MatMul::RunOwn(const Job& job, int first_row, int first_block, int end_block) {
  const int quads = job.w.k_padded() / 4;
  const int group = job.group();
  const int rows = job.x.rows();
#pragma omp parallel for schedule(static)
  for (int block = first_block; block < end_block; block += group) {
    alignas(64) int32_t acc[2][8 * kBlock];
    for (int row = first_row; row < rows; row += kernel_.max_rows) {
      const int count = std::min(kernel_.max_rows, rows - row);
      for (int i = 0; i < group; ++i) {
        const int8_t* weights = job.w.packed + int64_t{block + i} * quads * 4 * kBlock;
        kernel_.tile(job.x.view(), row, count, weights, quads, acc[i]);
      }
      for (int r = 0; r < count; ++r) {
        job.Finish(row + r, block, group, acc[0] + r * kBlock, acc[1] + r * kBlock);
      }
    }
  }
}

// How many of `rows` oneDNN takes: a few are left to our kernel, more are filled up with rows that
// nobody reads.
int Int8MatMul::OneDnnRows(int rows) const {
  const int left = rows % kOneDnnRows;
  return left > kernel_.max_rows ? rows - left + kOneDnnRows : rows - left;
}

// Panels of columns: oneDNN computes most rows of a panel, our kernel those that are left over,
// and the epilogue follows while the sums are still in the cache.
void Int8MatMul::RunOneDnn(const Job& job) {
  const int blocks = job.w.n_padded() / kBlock;
  const int rows = backend_ == Backend::kOneDnn ? job.x.rows() : OneDnnRows(job.x.rows());
  const int panel = std::max<int>(2, static_cast<int>(kPanelElements / kBlock / rows) / 2 * 2);
  for (int first = 0; first < blocks; first += panel) {
    const int count = std::min(panel, blocks - first);
    const int columns = count * kBlock;
    const int8_t* packed = job.w.packed + int64_t{first} * kBlock * job.w.k_padded();
    if (!one_dnn_->Run(job.x.view(), rows, packed, columns, scratch_.data())) {
      RunOwn(job, 0, first, first + count);
      continue;
    }
#pragma omp parallel for schedule(static)
    for (int row = 0; row < std::min(rows, job.x.rows()); ++row) {
      const int32_t* acc = scratch_.data() + int64_t{row} * columns;
      job.Finish(row, first, count, acc, acc + kBlock);
    }
    if (rows < job.x.rows()) RunOwn(job, rows, first, first + count);
  }
}

std::string Int8MatMul::Description() const {
  std::string own = std::string("own ") + kernel_.name;
  return one_dnn_ ? "oneDNN " + one_dnn_->name() + ", " + own : own;
}

}  // namespace edgegate
