#include "engine/quantize/cholesky.h"

#include <algorithm>
#include <cmath>

#include "engine/base/thread_pool.h"
#include "engine/quantize/float_gemm.h"

namespace edgegate {
namespace {

constexpr int kBlock = 128;  // columns at once

// Computes the factor of the diagonal block of columns [first, end). Later columns are complete.
void FactorDiagonal(int k, int first, int end, const std::vector<float>& least, float* a) {
  for (int j = end - 1; j >= first; --j) {
    const float* row_j = a + int64_t{j} * k;
    auto remainder = [&](int i) {  // returns what remains of a[i][j]
      const float* row_i = a + int64_t{i} * k;
      double value = row_i[j];
      for (int l = j + 1; l < end; ++l) value -= double{row_i[l]} * row_j[l];
      return value;
    };
    const double pivot = std::sqrt(std::max(remainder(j), double{least[j]}));
    for (int i = first; i < j; ++i) {
      a[int64_t{i} * k + j] = static_cast<float>(remainder(i) / pivot);
    }
    a[int64_t{j} * k + j] = static_cast<float>(pivot);
  }
}

// Solves x R^T = a for the rows above the block. R is the factor of the block.
void SolveAbove(int k, int first, int end, float* a) {
  const int size = end - first;
  std::vector<float> transposed(size_t{kBlock} * kBlock);  // R^T
  for (int i = 0; i < size; ++i) {
    for (int j = i; j < size; ++j)
      transposed[j * kBlock + i] = a[int64_t{first + i} * k + first + j];
  }
  ParallelFor(first, [&](int row) {
    float* x = a + int64_t{row} * k + first;
    for (int j = size - 1; j >= 0; --j) {
      const float* column = &transposed[j * kBlock];
      const float value = x[j] / column[j];
      x[j] = value;
      for (int i = 0; i < j; ++i) x[i] -= value * column[i];
    }
  });
}

}  // namespace

void FactorUpper(int k, const std::vector<float>& least, float* a) {
  for (int first = (k - 1) / kBlock * kBlock; first >= 0; first -= kBlock) {
    const int end = std::min(first + kBlock, k);
    if (end < k) {
      Gemm(end, end - first, k - end, -1.0f, {a + end, k}, {a + int64_t{first} * k + end, k, true},
           1.0f, a + first, k);
    }
    FactorDiagonal(k, first, end, least, a);
    SolveAbove(k, first, end, a);
  }
}

}  // namespace edgegate
