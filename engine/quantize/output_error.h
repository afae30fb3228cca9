// The effect that errors of a linear layer's weights have on its output, estimated from inputs.
#pragma once

#include <vector>

namespace edgegate {

// The mean square over inputs x of e . x, for a row's error e [k] in its weights, as a sum over
// columns:
//   sum over j of cost[j] * (e[j] + sum over i < j of e[i] * carry[i][j])^2
// This is e^T H e, where H is the mean of x x^T, factored as H = M D M^T with M unit upper
// triangular. The errors of earlier columns are thus compensated in column j.
struct OutputError {
  int k = 0;
  std::vector<float> carry;  // M, [k][k], used above the diagonal; empty: M is the unit matrix
  std::vector<float> cost;   // D, [k], positive
};

// Estimates it from inputs `x` [tokens][k]. `shrink`, 0 .. 1, is the shrinkage factor for the
// products of different columns, which few samples estimate badly; 1 leaves the mean squares only.
// The cost of a column of zeros is a small part of its neighbors' cost. Where x is so large that
// float has no finite squares, all columns have the same cost.
OutputError LearnOutputError(const std::vector<float>& x, int k, float shrink);

}  // namespace edgegate
