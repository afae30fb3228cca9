#include "engine/ops/linear/int4/matmul.h"

#include "engine/ops/linear/float_tiles.h"

namespace edgegate {

auto Int4MatMul::Tiles(const GroupedRows& x, const Int4Linear& w) const {
  const int most = x.rows() > 2 * kernel_.max_rows ? kernel_.many_rows : kernel_.max_rows;
  return FloatTiles(
      x.rows(), most, w.n, w.bias, [this, &x, &w](int row, int count, int block, float* sums) {
        const int64_t bytes = int64_t{w.groups()} * Int4GroupBytes(w.group);
        kernel_.tile(x.view(), row, count, w.packed + block * bytes, w.groups(), sums);
      });
}

void Int4MatMul::Store(const GroupedRows& x, const Int4Linear& w, float* out,
                       int64_t stride) const {
  Tiles(x, w).Store(out, stride);
}

void Int4MatMul::Add(const GroupedRows& x, const Int4Linear& w, float* out, int64_t stride) const {
  Tiles(x, w).Add(out, stride);
}

void Int4MatMul::SwiGlu(const GroupedRows& x, const Int4Linear& w, float* out,
                        int64_t stride) const {
  Tiles(x, w).SwiGlu(out, stride);
}

void Int4MatMul::Gelu(const GroupedRows& x, const Int4Linear& w, float* out, int64_t stride) const {
  Tiles(x, w).Gelu(out, stride);
}

}  // namespace edgegate
