#include "engine/ops/int4_linear.h"

#include <algorithm>

#include "engine/ops/row_ops.h"

namespace edgegate {
namespace {

constexpr int kBlock = kInt8Block;
constexpr int kMaxTileRows = 8;

}  // namespace

// Each thread takes whole column blocks, in order, so that the weights are read once, as a stream.
template <int kBlocks, typename Finish>
void Int4MatMul::Run(const GroupedRows& x, const Int4Linear& w, Finish finish) const {
  const int64_t block_bytes = int64_t{w.groups()} * Int4GroupBytes(w.group);
  const int blocks = w.n_padded() / kBlock;
  // As few tiles as can be, of about as many rows each: nine are 5 and 4, not 8 and 1.
  const int most = x.rows() > 2 * kernel_.max_rows ? kernel_.many_rows : kernel_.max_rows;
  const int tiles = (x.rows() + most - 1) / most;
  const int tile_rows = tiles > 0 ? (x.rows() + tiles - 1) / tiles : 1;
#pragma omp parallel for schedule(static)
  for (int block = 0; block < blocks; block += kBlocks) {
    alignas(64) float sums[kBlocks][kMaxTileRows * kBlock];
    for (int row = 0; row < x.rows(); row += tile_rows) {
      const int count = std::min(tile_rows, x.rows() - row);
      for (int i = 0; i < kBlocks; ++i) {
        kernel_.tile(x.view(), row, count, w.packed + (block + i) * block_bytes, w.groups(),
                     sums[i]);
      }
      for (int r = 0; r < count; ++r) {
        alignas(64) float values[kBlocks * kBlock];
        for (int i = 0; i < kBlocks; ++i) {
          std::copy_n(sums[i] + r * kBlock, kBlock, values + i * kBlock);
        }
        const int column = block * kBlock;
        if (w.bias != nullptr) {
          for (int c = 0; c < kBlocks * kBlock; ++c) values[c] += w.bias[column + c];
        }
        finish(row + r, column, std::min(kBlocks * kBlock, w.n - column), values);
      }
    }
  }
}

void Int4MatMul::Store(const GroupedRows& x, const Int4Linear& w, float* out,
                       int64_t stride) const {
  Run<1>(x, w, [&](int row, int column, int columns, const float* values) {
    std::copy_n(values, columns, out + row * stride + column);
  });
}

void Int4MatMul::Add(const GroupedRows& x, const Int4Linear& w, float* out, int64_t stride) const {
  Run<1>(x, w, [&](int row, int column, int columns, const float* values) {
    float* to = out + row * stride + column;
    for (int c = 0; c < columns; ++c) to[c] += values[c];
  });
}

void Int4MatMul::SwiGlu(const GroupedRows& x, const Int4Linear& w, float* out,
                        int64_t stride) const {
  Run<2>(x, w, [&](int row, int column, int, const float* values) {
    SwiGluRow(values, values + kBlock, kBlock, out + row * stride + column / 2);
  });
}

void Int4MatMul::Gelu(const GroupedRows& x, const Int4Linear& w, float* out, int64_t stride) const {
  Run<1>(x, w, [&](int row, int column, int columns, float* values) {
    GeluRow(values, columns);
    std::copy_n(values, columns, out + row * stride + column);
  });
}

}  // namespace edgegate
