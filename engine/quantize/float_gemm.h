// Products of float matrices for calibration. Each tile of a fixed size is computed by one thread,
// so that the bits do not depend on the number of threads. They would with oneDNN's own division of
// a product.
#pragma once

#include <cstdint>

namespace edgegate {

// A factor: rows of `stride` floats, read as stored or transposed.
struct GemmFactor {
  const float* data;
  int64_t stride;
  bool transposed = false;
};

// c[m][n] = alpha * a[m][k] . b[k][n] + beta * c, with rows of c `stride` apart. c is not read
// where beta is 0. In parallel.
void Gemm(int64_t m, int64_t n, int64_t k, float alpha, const GemmFactor& a, const GemmFactor& b,
          float beta, float* c, int64_t stride);

// The same bits, computed on the calling thread. For use inside a parallel loop.
void GemmOnThisThread(int64_t m, int64_t n, int64_t k, float alpha, const GemmFactor& a,
                      const GemmFactor& b, float beta, float* c, int64_t stride);

}  // namespace edgegate
