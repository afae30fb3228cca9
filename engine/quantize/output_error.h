// The effect of errors in a linear layer's weights on its output, estimated from inputs.
#pragma once

#include <vector>

namespace edgegate {

// The mean square over inputs x of e . x, for an error e [k] in the weights of a row, as a sum over
// columns:
//   sum over j of cost[j] * (e[j] + sum over i < j of e[i] * carry[i][j])^2
// This is e^T H e. H is the mean of x x^T, factored as H = M D M^T with M unit upper triangular. So
// column j can compensate the errors of earlier columns.
struct OutputError {
  int k = 0;
  std::vector<float> carry;  // M, [k][k], used above the diagonal; empty: M is the identity
  std::vector<float> cost;   // D, [k], positive
};

// Estimates the output error from inputs `x`, float [tokens][k], in parallel. `shrink`, 0 to 1, is
// the shrinkage factor for the products of different columns, which few samples estimate badly. If
// it is 1, only the mean squares are used. The cost of a column of zeros is a small part of the
// average cost of nearby columns. If the squares of x are not finite in float, all columns have the
// same cost.
OutputError EstimateOutputError(const std::vector<float>& x, int k, float shrink);

}  // namespace edgegate
