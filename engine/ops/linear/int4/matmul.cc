#include "engine/ops/linear/int4/matmul.h"

#include <algorithm>

#include "engine/base/thread_pool.h"
#include "engine/ops/rows/row_ops.h"

namespace edgegate {
namespace {

constexpr int kBlock = kInt8Block;
constexpr int kMaxTileRows = 8;

}  // namespace

// Each thread takes whole column blocks, in order. So the weights are read once, sequentially.
template <int kBlocks, typename Finish>
void Int4MatMul::Run(const GroupedRows& x, const Int4Linear& w, Finish finish) const {
  const int64_t block_bytes = int64_t{w.groups()} * Int4GroupBytes(w.group);
  const int blocks = w.n_padded() / kBlock;
  // Takes the smallest number of tiles, of about equal size: nine rows are 5 and 4, not 8 and 1.
  const int most = x.rows() > 2 * kernel_.max_rows ? kernel_.many_rows : kernel_.max_rows;
  const int tiles = (x.rows() + most - 1) / most;
  const int tile_rows = tiles > 0 ? (x.rows() + tiles - 1) / tiles : 1;
  ParallelFor(blocks / kBlocks, [&](int index) {
    const int block = index * kBlocks;
    alignas(64) float sums[kBlocks][kMaxTileRows * kBlock];
    for (int row = 0; row < x.rows(); row += tile_rows) {
      const int count = std::min(tile_rows, x.rows() - row);
      for (int i = 0; i < kBlocks; ++i) {
        kernel_.tile(x.view(), row, count, w.packed + (block + i) * block_bytes, w.groups(),
                     sums[i]);
      }
      const int column = block * kBlock;
      for (int r = 0; r < count; ++r) {
        for (int i = 0; i < kBlocks && w.bias != nullptr; ++i) {
          AddRow(w.bias + column + i * kBlock, kBlock, sums[i] + r * kBlock);
        }
        finish(row + r, column, std::min(kBlock, w.n - column), sums[0] + r * kBlock,
               sums[kBlocks - 1] + r * kBlock);
      }
    }
  });
}

void Int4MatMul::Store(const GroupedRows& x, const Int4Linear& w, float* out,
                       int64_t stride) const {
  Run<1>(x, w, [&](int row, int column, int columns, const float* values, const float*) {
    std::copy_n(values, columns, out + row * stride + column);
  });
}

void Int4MatMul::Add(const GroupedRows& x, const Int4Linear& w, float* out, int64_t stride) const {
  Run<1>(x, w, [&](int row, int column, int columns, const float* values, const float*) {
    AddRow(values, columns, out + row * stride + column);
  });
}

void Int4MatMul::SwiGlu(const GroupedRows& x, const Int4Linear& w, float* out,
                        int64_t stride) const {
  Run<2>(x, w, [&](int row, int column, int, const float* gate, const float* up) {
    SwiGluRow(gate, up, kBlock, out + row * stride + column / 2);
  });
}

void Int4MatMul::Gelu(const GroupedRows& x, const Int4Linear& w, float* out, int64_t stride) const {
  Run<1>(x, w, [&](int row, int column, int columns, float* values, const float*) {
    GeluRow(values, columns);
    std::copy_n(values, columns, out + row * stride + column);
  });
}

}  // namespace edgegate
