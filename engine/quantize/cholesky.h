// The Cholesky factor of a large symmetric matrix, computed from its last column to its first, in
// blocks.
#pragma once

#include <vector>

namespace edgegate {

// Factors the symmetric positive semidefinite matrix `a`, float [k][k], as R R^T with R upper
// triangular. Reads the upper triangle and writes R in its place. The lower triangle is working
// memory. A pivot (the square of an element of R's diagonal) is raised to `least` [k], which is
// positive. So singular matrices have a finite factor too. Computes with the threads of
// ThreadPool::Current(). The result does not depend on their number.
void FactorUpper(int k, const std::vector<float>& least, float* a);

}  // namespace edgegate
