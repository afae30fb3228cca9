// The epilogues of formats whose kernels give float sums of tiles.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "engine/base/thread_pool.h"
#include "engine/ops/linear/int8/weights.h"
#include "engine/ops/rows/row_ops.h"

namespace edgegate {

// A product of `rows` rows and a layer of `n` columns. Computes with the threads of
// ThreadPool::Current(). Each thread takes whole blocks of 64 columns, in order, so that the
// weights are read once, sequentially.
//
// tile(first_row, count, block, sums) computes sums[r * 64 + c], float, for r < count <= kMaxRows
// and the 64 columns c of a block, without the bias. It must be thread-safe.
template <typename Tile>
class FloatTiles {
 public:
  static constexpr int kMaxRows = 32;

  // Takes the smallest number of tiles of up to `most` rows, of about equal size: nine rows are 5
  // and 4, not 8 and 1. `bias`: float [n_padded], or null.
  FloatTiles(int rows, int most, int n, const float* bias, Tile tile)
      : rows_(rows), n_(n), bias_(bias), tile_(std::move(tile)) {
    const int tiles = (rows + most - 1) / most;
    tile_rows_ = tiles > 0 ? (rows + tiles - 1) / tiles : 1;
  }

  // LinearMatMul describes the functions. `out` is float [rows][n], with rows `stride` floats
  // apart.
  void Store(float* out, int64_t stride) const {
    Run<1>([&](int row, int column, int columns, const float* values, const float*) {
      std::copy_n(values, columns, out + row * stride + column);
    });
  }
  void Add(float* out, int64_t stride) const {
    Run<1>([&](int row, int column, int columns, const float* values, const float*) {
      AddRow(values, columns, out + row * stride + column);
    });
  }
  void Gelu(float* out, int64_t stride) const {
    Run<1>([&](int row, int column, int columns, float* values, const float*) {
      GeluRow(values, columns);
      std::copy_n(values, columns, out + row * stride + column);
    });
  }
  void SwiGlu(float* out, int64_t stride) const {
    Run<2>([&](int row, int column, int, const float* gate, const float* up) {
      SwiGluRow(gate, up, kBlock, out + row * stride + column / 2);
    });
  }

 private:
  static constexpr int kBlock = kInt8Block;

  // Calls finish(row, column, columns, values, values of the last block) for each row, for kBlocks
  // 64-column blocks at a time. `columns` is the number of columns of the first block.
  template <int kBlocks, typename Finish>
  void Run(Finish finish) const {
    ParallelFor(Int8Blocks(n_) / kBlocks, [&](int index) {
      const int block = index * kBlocks, column = block * kBlock;
      alignas(64) float sums[kBlocks][kMaxRows * kBlock];
      for (int row = 0; row < rows_; row += tile_rows_) {
        const int count = std::min(tile_rows_, rows_ - row);
        for (int i = 0; i < kBlocks; ++i) tile_(row, count, block + i, sums[i]);
        for (int r = 0; r < count; ++r) {
          for (int i = 0; i < kBlocks && bias_ != nullptr; ++i) {
            AddRow(bias_ + column + i * kBlock, kBlock, sums[i] + r * kBlock);
          }
          finish(row + r, column, std::min(kBlock, n_ - column), sums[0] + r * kBlock,
                 sums[kBlocks - 1] + r * kBlock);
        }
      }
    });
  }

  const int rows_, n_;
  const float* const bias_;
  const Tile tile_;
  int tile_rows_;
};

}  // namespace edgegate
