// The search for a group's scale, minimum and levels, for the same columns of several rows.
#pragma once

#include <cstdint>

#include "engine/quantize/group_round.h"

namespace edgegate {

// Result of a search: w'[j][row] = scale[row] * q[j][row] + minimum[row].
struct GroupLevels {
  float scale[kSearchRows];    // a value of f16, not negative
  float minimum[kSearchRows];  // a value of f16
  GroupColumns q;              // whole numbers from 0 to 15
};

class GroupSearch {
 public:
  // The part of an OutputError for `count` columns: `carry` is the block on the diagonal, with rows
  // `stride` apart, or null; `cost` [count].
  GroupSearch(const float* carry, int64_t stride, const float* cost, int count);

  // Chooses levels so that the error of the weights `w` is small. `carried` has the errors that
  // earlier columns carry over to the group. Tries step sizes. Each rounds the levels column by
  // column, with errors carried over, and solves for the least-squares scale and minimum, as
  // llama.cpp's make_qkx2_quants does without the carry. Weights are clamped to f16's range.
  void Search(const GroupColumns& w, const GroupColumns& carried, GroupLevels* best) const;

 private:
  void Want(const GroupColumns& w, const GroupColumns& carried, GroupTrial* trial) const;
  void Fit(int row, GroupTrial* trial) const;

  GroupError group_;
  double one_squared_ = 0;  // the sum of cost * one^2
};

}  // namespace edgegate
