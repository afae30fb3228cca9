// Rounds a group of weights of several rows, column by column, for a scale and a minimum that are
// on trial: the inner loop of GroupSearch.
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
  float one[kInt4WideGroup];  // a 1 in every column: itself and what those before it carry over
};

struct GroupTrial {
  alignas(64) float scale[kSearchRows];
  alignas(64) float minimum[kSearchRows];
  alignas(64) GroupColumns w;        // the weights that are wanted
  alignas(64) GroupColumns carried;  // they, and what those before them carry over
  alignas(64) GroupColumns q;        // levels, whole numbers from 0 to 15
  alignas(64) float error[kSearchRows];
  // Sums over columns of cost times products of levels (q), weights (w) and ones (1), all with what
  // they carry over: the normal equations of the scale and minimum that suit the levels best.
  alignas(64) float qq[kSearchRows], q1[kSearchRows], wq[kSearchRows], w1[kSearchRows];
};

// Computes q and what stands after it from what stands before. A scale of 0 gives level 0. Where
// the weights are not finite, so are the error and the sums, but not the levels.
void RoundGroup(const GroupError& group, GroupTrial* trial);

}  // namespace edgegate
