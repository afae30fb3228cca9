// Cholesky's factor of a large symmetric matrix, from its last column to its first, in blocks.
#pragma once

#include <vector>

namespace edgegate {

// Factors the symmetric positive semidefinite matrix `a` [k][k], of which the upper triangle is
// read, as R R^T with R upper triangular, which takes the triangle's place; what stands below it is
// scratch. A pivot (the square of R's diagonal) below `least` [k], which is positive, becomes that,
// so that singular matrices have a finite factor too.
void FactorUpper(int k, const std::vector<float>& least, float* a);

}  // namespace edgegate
