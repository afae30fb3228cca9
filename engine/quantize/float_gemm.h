// Products of float matrices for calibration. Tiles of a fixed size are what threads share, each
// computed by one of them, so that the bits do not depend on how many there are: oneDNN's own
// division of a product does.
#pragma once

#include <cstdint>

namespace edgegate {

// A factor: rows of `stride` floats, read as they stand or transposed.
struct GemmFactor {
  const float* data;
  int64_t stride;
  bool transposed = false;
};

// c[m][n] = alpha * a[m][k] . b[k][n] + beta * c, c in rows of `stride`. c is written only where
// beta is 0. In parallel.
void Gemm(int64_t m, int64_t n, int64_t k, float alpha, const GemmFactor& a, const GemmFactor& b,
          float beta, float* c, int64_t stride);

// The same, the same bits, on the calling thread: inside a parallel loop.
void GemmOnThisThread(int64_t m, int64_t n, int64_t k, float alpha, const GemmFactor& a,
                      const GemmFactor& b, float beta, float* c, int64_t stride);

}  // namespace edgegate
