// Rounds a group of weights of several rows, column by column, for a trial scale and minimum. It is
// the inner loop of GroupSearch.
#pragma once

#include "engine/ops/linear/int4/weights.h"

namespace edgegate {

inline constexpr int kSearchRows = 32;  // rows at a time: lanes of vectors

// A value for each weight of a group, and for each row.
using GroupColumns = float[kInt4WideGroup][kSearchRows];

// A group's part of an OutputError.
struct GroupError {
  int count = 0;                                // columns
  float carry[kInt4WideGroup][kInt4WideGroup];  // [to][from], from < to
  float cost[kInt4WideGroup];
  float one[kInt4WideGroup];  // a 1 in each column, plus the ones carried over
};

struct GroupTrial {
  alignas(64) float scale[kSearchRows];
  alignas(64) float minimum[kSearchRows];
  alignas(64) GroupColumns w;        // the target weights
  alignas(64) GroupColumns carried;  // `w`, plus the errors carried over
  alignas(64) GroupColumns q;        // levels, whole numbers from 0 to 15
  alignas(64) float error[kSearchRows];
  // Sums over columns of cost times products of levels (q), weights (w) and ones (1), each with its
  // carry: the normal equations of the least-squares scale and minimum for the levels.
  alignas(64) float qq[kSearchRows], q1[kSearchRows], wq[kSearchRows], w1[kSearchRows];
};

// Computes `q` and the members after it from the members before it. A scale of 0 gives level 0.
// Where the weights are not finite, neither are the error and the sums; the levels are.
void RoundGroup(const GroupError& group, GroupTrial* trial);

}  // namespace edgegate
