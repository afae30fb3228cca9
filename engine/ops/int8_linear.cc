#include "engine/ops/int8_linear.h"

#include <algorithm>

#include "engine/base/thread_pool.h"
#include "engine/ops/int8_onednn.h"
#include "engine/ops/row_ops.h"

namespace edgegate {
namespace {

constexpr int kBlock = kInt8Block;
// s32 results of one oneDNN call: small enough to stay in a processor's second-level cache until
// the epilogue has read them.
constexpr int64_t kPanelElements = int64_t{1} << 17;
// Panels of a thread, at least, so that others can take over some of them.
constexpr int kPanelsPerThread = 4;
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

Int8MatMul::Int8MatMul(Backend backend) : backend_(backend), kernel_(SelectInt8Kernel()) {
  if (backend != Backend::kOwn) one_dnn_ = OneDnnInt8::Make();
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
  if (one_dnn_ && job.x.rows() >= threshold && RunOneDnn(job)) return;
  const int group = job.group();
  ParallelFor(job.w.n_padded() / kBlock / group, [&](int i) { RunOwn(job, 0, i * group, group); });
}

// Rows from `first_row` on, some column blocks. On one thread, so that the weights are read once,
// as a stream.
void Int8MatMul::RunOwn(const Job& job, int first_row, int first_block, int blocks) const {
  const int quads = job.w.k_padded() / 4;
  const int group = job.group();
  const int rows = job.x.rows();
  for (int block = first_block; block < first_block + blocks; block += group) {
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

// Panels of columns: oneDNN computes most rows of a panel, our kernel those that are left over, and
// the epilogue follows on the same thread while the sums are still in its cache. False: oneDNN has
// no fast kernel.
bool Int8MatMul::RunOneDnn(const Job& job) {
  const int blocks = job.w.n_padded() / kBlock, k = job.w.k_padded();
  const int rows = backend_ == Backend::kOneDnn ? job.x.rows() : OneDnnRows(job.x.rows());
  const int threads = ThreadPool::CurrentThreads();
  const int fitting = static_cast<int>(kPanelElements / kBlock / rows) / 2 * 2;
  const int fair = (blocks + kPanelsPerThread * threads - 1) / (kPanelsPerThread * threads);
  const int panel = std::max(2, std::min(fitting, (fair + 1) / 2 * 2));
  const OneDnnInt8::Plan* whole = one_dnn_->PlanFor(rows, k, std::min(panel, blocks) * kBlock);
  const OneDnnInt8::Plan* rest = one_dnn_->PlanFor(rows, k, ((blocks - 1) % panel + 1) * kBlock);
  if (whole == nullptr || rest == nullptr) return false;
  scratch_.resize(std::max(scratch_.size(), static_cast<size_t>(threads)));
  ParallelFor((blocks + panel - 1) / panel, [&](int i) {
    const int first = i * panel, count = std::min(panel, blocks - first);
    const int columns = count * kBlock;
    Scratch& scratch = scratch_[static_cast<size_t>(ThreadPool::Index())];
    scratch.sums.Grow(static_cast<size_t>(std::max(kPanelElements, int64_t{rows} * columns)));
    const OneDnnInt8::Plan& plan = count == panel ? *whole : *rest;
    scratch.one_dnn.Grow(one_dnn_->ScratchBytes(plan));
    const int8_t* packed = job.w.packed + int64_t{first} * kBlock * k;
    one_dnn_->Run(plan, job.x.view(), packed, scratch.sums.data(), scratch.one_dnn.data());
    for (int row = 0; row < std::min(rows, job.x.rows()); ++row) {
      const int32_t* acc = scratch.sums.data() + int64_t{row} * columns;
      job.Finish(row, first, count, acc, acc + kBlock);
    }
    if (rows < job.x.rows()) RunOwn(job, rows, first, count);
  });
  return true;
}

std::string Int8MatMul::Description() const {
  std::string own = std::string("own ") + kernel_.name;
  return one_dnn_ ? "oneDNN " + one_dnn_->name() + ", " + own : own;
}

}  // namespace edgegate
