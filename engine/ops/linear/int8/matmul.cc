#include "engine/ops/linear/int8/matmul.h"

#include <algorithm>

#include "engine/base/ceil_div.h"
#include "engine/base/thread_pool.h"
#include "engine/ops/linear/int8/onednn.h"
#include "engine/ops/rows/row_ops.h"

namespace edgegate {
namespace {

constexpr int kBlock = kInt8Block;
// Number of s32 results of one oneDNN call. They stay in a processor's second-level cache until the
// epilogue has read them.
constexpr int64_t kTileElements = int64_t{1} << 17;
// Smallest number of tiles of a thread. Other threads can take some of them over.
constexpr int kTilesPerThread = 4;
// If each thread has at least this number of rows, its tiles are of its own rows, in blocks of at
// least this number. The loops before and after divide the rows between the threads in the same
// way, so that a row stays in one thread's cache.
constexpr int kRowsOfTile = 128;
// Smallest number of rows that oneDNN computes.
constexpr int kMinOneDnnRows = 32;
// oneDNN computes multiples of this number of rows, so that it builds few kernels.
constexpr int kOneDnnRows = kInt8SpareRows + 1;

// The division of a matrix of results, `rows` x `blocks` column blocks, into tiles. A tile is a
// block of rows times a panel of columns. The tiles are in the order of the rows, then of the
// columns.
struct Tiling {
  int rows, blocks;            // size of the matrix
  int tile_rows, tile_blocks;  // size of a tile; the last tiles may be smaller

  Tiling(int all_rows, int all_blocks, int threads) : rows(all_rows), blocks(all_blocks) {
    const int row_blocks = std::max(1, rows / threads / kRowsOfTile * threads);
    tile_rows = std::min(rows, CeilDiv(CeilDiv(rows, row_blocks), kOneDnnRows) * kOneDnnRows);
    const int fitting = static_cast<int>(kTileElements / kBlock / tile_rows) / 2 * 2;
    const int fair = CeilDiv(blocks * row_blocks, kTilesPerThread * threads);
    tile_blocks = std::min(blocks, std::max(2, std::min(fitting, CeilDiv(fair, 2) * 2)));
  }

  int panels() const { return CeilDiv(blocks, tile_blocks); }
  int tiles() const { return CeilDiv(rows, tile_rows) * panels(); }
  int first_row(int tile) const { return tile / panels() * tile_rows; }
  int first_block(int tile) const { return tile % panels() * tile_blocks; }
  int rows_of(int tile) const { return std::min(tile_rows, rows - first_row(tile)); }
  int blocks_of(int tile) const { return std::min(tile_blocks, blocks - first_block(tile)); }
};

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

  // Returns the number of column blocks that one call of the epilogue reads.
  int group() const { return epilogue == Epilogue::kSwiGlu ? 2 : 1; }

  int quads() const { return w.k_padded() / 4; }
  const int8_t* weights(int block) const {
    return w.packed + int64_t{block} * kBlock * w.k_padded();
  }

  // Computes the epilogue. `acc` holds exact sums of row `row` minus `offset`, of `blocks` column
  // blocks from block `block` on. `acc_up` is the first up block of SwiGlu; gate and up blocks
  // alternate.
  void Finish(int row, int32_t offset, int block, int blocks, const int32_t* acc,
              const int32_t* acc_up) const {
    const float scale = x.scale()[row];
    const int32_t zero = x.zero_point()[row] - offset;
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
  const int threshold = backend_ == Backend::kOneDnn ? 1 : kMinOneDnnRows;
  scratch_.resize(std::max(scratch_.size(), static_cast<size_t>(ThreadPool::CurrentThreads())));
  if (one_dnn_ && job.x.rows() >= threshold && RunOneDnn(job)) return;
  const int group = job.group();
  ParallelFor(job.w.n_padded() / kBlock / group, [&](int i) {
    if (job.x.view().strips != nullptr && RunStrips(job, i * group)) return;
    RunOwn(job, 0, i * group, group);
  });
}

// Computes the rows from `first_row` on of one group of column blocks, from block `block` on, on
// one thread. So the weights are read once, sequentially. tile(i, row, count, acc) computes sums of
// block i of the group minus `offset`, for `count` <= `tile_rows` rows.
template <typename Tile>
void Int8MatMul::RunTiles(const Job& job, int first_row, int block, int tile_rows, int32_t offset,
                          Tile tile) {
  const int group = job.group(), rows = job.x.rows();
  alignas(64) int32_t acc[2][kStripRows * kBlock];
  for (int row = first_row; row < rows; row += tile_rows) {
    const int count = std::min(tile_rows, rows - row);
    for (int i = 0; i < group; ++i) tile(i, row, count, acc[i]);
    for (int r = 0; r < count; ++r) {
      job.Finish(row + r, offset, block, group, acc[0] + r * kBlock, acc[1] + r * kBlock);
    }
  }
}

// Computes all rows of one group of column blocks in strips. Returns false, and computes nothing,
// if a block has too many wide pairs.
bool Int8MatMul::RunStrips(const Job& job, int block) {
  const Int8StripKernel& kernel = *kernel_.strips;
  const Int8Rows& x = job.x.view();
  auto& pairs = scratch_[static_cast<size_t>(ThreadPool::Index())].pairs;
  for (int i = 0; i < job.group(); ++i) {
    if (!kernel.find(job.weights(block + i), job.quads(), &pairs[i])) return false;
  }
  RunTiles(job, 0, block, kStripRows, 0, [&](int i, int row, int count, int32_t* acc) {
    kernel.run(x.strips + row * x.stride, count, job.weights(block + i), job.quads(), pairs[i],
               acc);
  });
  return true;
}

// Computes the rows from `first_row` on of some column blocks in tiles, on one thread.
void Int8MatMul::RunOwn(const Job& job, int first_row, int first_block, int blocks) const {
  for (int block = first_block; block < first_block + blocks; block += job.group()) {
    RunTiles(job, first_row, block, kernel_.max_rows, kernel_.offset,
             [&](int i, int row, int count, int32_t* acc) {
               kernel_.tile(job.x.view(), row, count, job.weights(block + i), job.quads(), acc);
             });
  }
}

// Returns the number of `rows` that oneDNN computes, a multiple of kOneDnnRows. Our kernel computes
// the remaining rows if they are one tile. A larger remainder is padded with rows whose results are
// ignored.
int Int8MatMul::OneDnnRows(int rows) const {
  const int left = rows % kOneDnnRows;
  return left > kernel_.max_rows ? rows - left + kOneDnnRows : rows - left;
}

// Computes tiles of most rows with oneDNN, and the other rows with our kernel. The epilogue follows
// on the same thread while the sums are in its cache. Returns false if oneDNN has no fast kernel.
bool Int8MatMul::RunOneDnn(const Job& job) {
  const int k = job.w.k_padded(), all_rows = job.x.rows();
  const int rows = backend_ == Backend::kOneDnn ? all_rows : OneDnnRows(all_rows);
  const int threads = ThreadPool::CurrentThreads();
  const Tiling tiling(rows, job.w.n_padded() / kBlock, threads);
  // Plans are made here, so that the threads only read them. Each tile has the number of rows of
  // the first or of the last tile, and likewise for columns.
  const int last = tiling.tiles() - 1;
  const OneDnnInt8::Plan* plans[2][2];
  for (const bool last_row : {false, true}) {
    for (const bool last_panel : {false, true}) {
      plans[last_row][last_panel] = one_dnn_->PlanFor(
          tiling.rows_of(last_row ? last : 0), k, tiling.blocks_of(last_panel ? last : 0) * kBlock);
      if (plans[last_row][last_panel] == nullptr) return false;
    }
  }
  ParallelFor(tiling.tiles(), [&](int tile) {
    const int first_row = tiling.first_row(tile), first = tiling.first_block(tile);
    const int count = tiling.rows_of(tile), blocks = tiling.blocks_of(tile);
    const int columns = blocks * kBlock;
    Scratch& scratch = scratch_[static_cast<size_t>(ThreadPool::Index())];
    scratch.sums.Grow(static_cast<size_t>(std::max(kTileElements, int64_t{count} * columns)));
    const OneDnnInt8::Plan& plan = *plans[count != tiling.tile_rows][blocks != tiling.tile_blocks];
    scratch.one_dnn.Grow(one_dnn_->ScratchBytes(plan));
    const uint8_t* from = job.x.view().u8 + first_row * job.x.view().stride;
    one_dnn_->Run(plan, from, job.weights(first), scratch.sums.data(), scratch.one_dnn.data());
    for (int row = 0; row < std::min(count, all_rows - first_row); ++row) {
      const int32_t* acc = scratch.sums.data() + int64_t{row} * columns;
      job.Finish(first_row + row, 0, first, blocks, acc, acc + kBlock);
    }
    if (first_row + count == rows && rows < all_rows) RunOwn(job, rows, first, blocks);
  });
  return true;
}

std::string Int8MatMul::Description() const {
  std::string own = std::string("own ") + kernel_.target.name;
  if (kernel_.strips != nullptr) own += std::string(", ") + kernel_.strips->name;
  return one_dnn_ ? "oneDNN " + one_dnn_->name() + ", " + own : own;
}

}  // namespace edgegate
