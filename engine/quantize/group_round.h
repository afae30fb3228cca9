// Rounds a group of weights of several rows, column by column, for a trial scale and minimum. It is
// the inner loop of GroupSearch.
#pragma once

#include "engine/ops/linear/int4/weights.h"

namespace edgegate {

inline constexpr int kSearchRows = 32;  // rows that are processed at a time, in lanes of vectors

// One value for each weight of a group and each row.
using GroupColumns = float[kInt4WideGroup][kSearchRows];

// The part of an OutputError for one group.
struct GroupError {
  int count = 0;                                // number of columns
  float carry[kInt4WideGroup][kInt4WideGroup];  // [to][from], from < to
  float cost[kInt4WideGroup];
  float one[kInt4WideGroup];  // 1 in each column, plus the ones that are carried over
};

// A trial scale and minimum of each row, and the result of rounding with them.
struct GroupTrial {
  alignas(64) float scale[kSearchRows];
  alignas(64) float minimum[kSearchRows];
  alignas(64) GroupColumns w;        // the target weights
  alignas(64) GroupColumns carried;  // `w` plus the errors that are carried over
  alignas(64) GroupColumns q;        // levels, integers from 0 to 15
  alignas(64) float error[kSearchRows];
  // Sums over columns of the cost times products of levels (q), weights (w) and ones (1), each with
  // its carry. They are the normal equations of the least-squares scale and minimum for the levels.
  alignas(64) float qq[kSearchRows], q1[kSearchRows], wq[kSearchRows], w1[kSearchRows];
};

// Computes `q` and the members after it from the members before it. A scale of 0 gives level 0. If
// weights are not finite, the error and the sums are not finite, but the levels are. Thread-safe.
void RoundGroup(const GroupError& group, GroupTrial* trial);

}  // namespace edgegate
