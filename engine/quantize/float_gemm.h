// Products of float matrices for calibration. Each tile has a fixed size and is computed by one
// thread. So the bits do not depend on the number of threads, which they would with oneDNN's own
// division of a product.
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
