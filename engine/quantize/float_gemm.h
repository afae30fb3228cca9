// Products of float matrices for calibration. The bits do not depend on the number of threads or on
// the processor: an element of the product is the sum of 256 products at a time, in order, and each
// product and each sum is rounded.
#pragma once

#include <cstdint>

namespace edgegate {

// A factor of a product: rows of `stride` floats, read as stored or transposed. A view.
struct GemmFactor {
  const float* data;
  int64_t stride;
  bool transposed = false;
};

// Computes c[m][n] = alpha * a[m][k] . b[k][n] + beta * c, in parallel. Rows of c are `stride`
// floats apart. c is not read if beta is 0.
void Gemm(int64_t m, int64_t n, int64_t k, float alpha, const GemmFactor& a, const GemmFactor& b,
          float beta, float* c, int64_t stride);

// Computes the same product with the same bits on the calling thread. For use inside a parallel
// loop.
void GemmOnThisThread(int64_t m, int64_t n, int64_t k, float alpha, const GemmFactor& a,
                      const GemmFactor& b, float beta, float* c, int64_t stride);

}  // namespace edgegate
