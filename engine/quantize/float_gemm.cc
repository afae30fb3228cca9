#include "engine/quantize/float_gemm.h"

#include <oneapi/dnnl/dnnl.h>

#include <algorithm>

namespace edgegate {
namespace {

constexpr int64_t kTile = 256;  // rows and columns of the product

}  // namespace

void Gemm(int64_t m, int64_t n, int64_t k, float alpha, const GemmFactor& a, const GemmFactor& b,
          float beta, float* c, int64_t stride) {
  const int64_t down = (m + kTile - 1) / kTile, across = (n + kTile - 1) / kTile;
  const int64_t a_step = a.transposed ? kTile : kTile * a.stride;
  const int64_t b_step = b.transposed ? kTile * b.stride : kTile;
  // Inside a parallel region oneDNN computes on the calling thread.
#pragma omp parallel for schedule(dynamic)
  for (int64_t tile = 0; tile < down * across; ++tile) {
    const int64_t i = tile / across, j = tile % across;
    dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', std::min(kTile, m - i * kTile),
               std::min(kTile, n - j * kTile), k, alpha, a.data + i * a_step, a.stride,
               b.data + j * b_step, b.stride, beta, c + i * kTile * stride + j * kTile, stride);
  }
}

}  // namespace edgegate
