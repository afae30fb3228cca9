// The Cholesky factor of a large symmetric matrix, computed from its last column to its first, in
// blocks.
#pragma once

#include <vector>

namespace edgegate {

// Factors the symmetric positive semidefinite matrix `a` [k][k] as R R^T with R upper triangular.
// Reads the upper triangle, and writes R in its place. The lower triangle is scratch. A pivot (the
// square of R's diagonal) is raised to `least` [k], which is positive, so that singular matrices
// have a finite factor too.
void FactorUpper(int k, const std::vector<float>& least, float* a);

}  // namespace edgegate
