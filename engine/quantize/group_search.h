// The search for the scale, minimum and levels of a group, for the same columns of several rows.
#pragma once

#include <cstdint>

#include "engine/quantize/group_round.h"

namespace edgegate {

// The result of a search: w'[j][row] = scale[row] * q[j][row] + minimum[row].
struct GroupLevels {
  float scale[kSearchRows];    // a value of f16, at least 0
  float minimum[kSearchRows];  // a value of f16
  GroupColumns q;              // integers from 0 to 15
};

// Searches the levels of one group. Immutable after construction: any thread may call it.
class GroupSearch {
 public:
  // Copies the part of an OutputError for `count` columns. `carry` is the block on the diagonal,
  // with rows `stride` floats apart, or null. `cost` is [count].
  GroupSearch(const float* carry, int64_t stride, const float* cost, int count);

  // Chooses levels so that the error of the weights `w` is small. `carried` has the errors that
  // earlier columns carry over to the group. Tries several step sizes. Each trial rounds the levels
  // column by column, with errors carried over. Then it solves for the least-squares scale and
  // minimum, as llama.cpp's make_qkx2_quants does without the carry. Weights are clamped to f16's
  // range.
  void Search(const GroupColumns& w, const GroupColumns& carried, GroupLevels* best) const;

 private:
  void SetTarget(const GroupColumns& w, const GroupColumns& carried, GroupTrial* trial) const;
  void Fit(int row, GroupTrial* trial) const;

  GroupError group_;
  double one_squared_ = 0;  // sum of cost * one^2
};

}  // namespace edgegate
