#include "engine/ops/linear/int16/matmul.h"

#include "engine/ops/linear/float_tiles.h"

namespace edgegate {

auto Int16MatMul::Tiles(const Int16Rows& x, const Int16Linear& w) const {
  return FloatTiles(
      x.rows(), Int16Kernel::kMaxRows, w.n, w.bias,
      [this, &x, &w](int row, int count, int block, float* sums) {
        kernel_.tile(
            x.view(), row, count,
            {w.packed + block * w.block_levels(), w.scale + block * kInt8Block, w.groups()}, sums);
      });
}

void Int16MatMul::Store(const Int16Rows& x, const Int16Linear& w, float* out,
                        int64_t stride) const {
  Tiles(x, w).Store(out, stride);
}

void Int16MatMul::Add(const Int16Rows& x, const Int16Linear& w, float* out, int64_t stride) const {
  Tiles(x, w).Add(out, stride);
}

void Int16MatMul::SwiGlu(const Int16Rows& x, const Int16Linear& w, float* out,
                         int64_t stride) const {
  Tiles(x, w).SwiGlu(out, stride);
}

void Int16MatMul::Gelu(const Int16Rows& x, const Int16Linear& w, float* out, int64_t stride) const {
  Tiles(x, w).Gelu(out, stride);
}

}  // namespace edgegate
