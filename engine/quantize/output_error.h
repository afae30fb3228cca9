// What errors of a linear layer's weights cost at its output, learned from inputs.
#pragma once

#include <vector>

namespace edgegate {

// The mean square over inputs x of e . x, for a row's error e [k] in its weights, as a sum over
// columns:
//   sum over j of cost[j] * (e[j] + sum over i < j of e[i] * carry[i][j])^2
// This is e^T H e, H the mean of x x^T, by way of H = M D M^T with M unit upper triangular: what is
// wrong in earlier columns calls for as much of a change in column j as would make up for it.
struct OutputError {
  int k = 0;
  std::vector<float> carry;  // M, [k][k], used above the diagonal; empty: the columns stand alone
  std::vector<float> cost;   // D, [k], positive
};

// From inputs `x` [tokens][k]. `shrink`, 0 .. 1: how far the products of different columns, which
// few tokens know badly, are pulled towards zero; 1 leaves the mean squares. Columns that are zero
// throughout cost a little of what those around them do. Where x is so large that float has no
// finite squares, all columns cost the same.
OutputError LearnOutputError(const std::vector<float>& x, int k, float shrink);

}  // namespace edgegate
