#include "engine/quantize/float_gemm.h"

#include <algorithm>
#include <vector>

#include "engine/base/thread_pool.h"

#ifdef EDGEGATE_ONEDNN
#include <oneapi/dnnl/dnnl.h>

#include "engine/ops/isa/onednn_thread.h"
#endif

namespace edgegate {
namespace {

constexpr int64_t kTile = 256;  // rows and columns of the product

// Computes c[m][n] = alpha * a . b + beta * c, for a tile.
void MultiplyTile(int64_t m, int64_t n, int64_t k, float alpha, const GemmFactor& a,
                  const GemmFactor& b, float beta, float* c, int64_t stride) {
#ifdef EDGEGATE_ONEDNN
  UseOneDnnOnThisThread();
  dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', m, n, k, alpha, a.data, a.stride,
             b.data, b.stride, beta, c, stride);
#else
  // Rows of b, or copies of its columns, are added to the sums of a row of c.
  std::vector<float> row(static_cast<size_t>(n)), sums(row.size() * static_cast<size_t>(m));
  for (int64_t depth = 0; depth < k; ++depth) {
    for (int64_t j = 0; j < n; ++j) {
      row[j] = b.data[b.transposed ? j * b.stride + depth : depth * b.stride + j];
    }
    for (int64_t i = 0; i < m; ++i) {
      const float factor = a.data[a.transposed ? depth * a.stride + i : i * a.stride + depth];
      float* sum = sums.data() + i * n;
      for (int64_t j = 0; j < n; ++j) sum[j] += factor * row[j];
    }
  }
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      const float scaled = alpha * sums[i * n + j];
      float& to = c[i * stride + j];
      to = beta == 0 ? scaled : beta * to + scaled;
    }
  }
#endif
}

// A matrix product that is divided into tiles.
struct Product {
  int64_t m, n, k;
  float alpha;
  const GemmFactor &a, &b;
  float beta;
  float* c;
  int64_t stride;

  int64_t across() const { return (n + kTile - 1) / kTile; }
  int64_t tiles() const { return (m + kTile - 1) / kTile * across(); }

  void ComputeTile(int64_t tile) const {
    const int64_t row = tile / across() * kTile, column = tile % across() * kTile;
    GemmFactor of_a = a, of_b = b;
    of_a.data += row * (a.transposed ? 1 : a.stride);
    of_b.data += column * (b.transposed ? b.stride : 1);
    MultiplyTile(std::min(kTile, m - row), std::min(kTile, n - column), k, alpha, of_a, of_b, beta,
                 c + row * stride + column, stride);
  }
};

}  // namespace

void Gemm(int64_t m, int64_t n, int64_t k, float alpha, const GemmFactor& a, const GemmFactor& b,
          float beta, float* c, int64_t stride) {
  const Product product{m, n, k, alpha, a, b, beta, c, stride};
  ParallelFor(product.tiles(), [&](int64_t tile) { product.ComputeTile(tile); });
}

void GemmOnThisThread(int64_t m, int64_t n, int64_t k, float alpha, const GemmFactor& a,
                      const GemmFactor& b, float beta, float* c, int64_t stride) {
  const Product product{m, n, k, alpha, a, b, beta, c, stride};
  for (int64_t tile = 0; tile < product.tiles(); ++tile) product.ComputeTile(tile);
}

}  // namespace edgegate
