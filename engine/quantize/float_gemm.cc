#include "engine/quantize/float_gemm.h"

#include <oneapi/dnnl/dnnl.h>

#include <algorithm>

#include "engine/base/thread_pool.h"
#include "engine/ops/isa/onednn_thread.h"

namespace edgegate {
namespace {

constexpr int64_t kTile = 256;  // rows and columns of the product

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
    UseOneDnnOnThisThread();
    dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', std::min(kTile, m - row),
               std::min(kTile, n - column), k, alpha, a.data + row * (a.transposed ? 1 : a.stride),
               a.stride, b.data + column * (b.transposed ? b.stride : 1), b.stride, beta,
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
