// The search for a group's scale, minimum and levels, for the same columns of several rows.
#pragma once

#include <cstdint>

#include "engine/quantize/group_round.h"

namespace edgegate {

// What a search found: w'[j][row] = scale[row] * q[j][row] + minimum[row].
struct GroupLevels {
  float scale[kSearchRows];    // as f16 has it, not negative
  float minimum[kSearchRows];  // as f16 has it
  GroupColumns q;              // whole numbers from 0 to 15
};

class GroupSearch {
 public:
  // The part of an OutputError that concerns `count` columns: `carry`, the block on the diagonal in
  // rows of `stride`, or null, and `cost`.
  GroupSearch(const float* carry, int64_t stride, const float* cost, int count);

  // Chooses levels so that the error of the weights `w` is small, where the columns before the
  // group carry over `carried` to its columns. Tries step sizes, each with levels rounded column by
  // column after what those before carry over, and the least-squares scale and minimum for such
  // levels: llama.cpp's make_qkx2_quants, with errors that are carried over. Weights are clamped to
  // f16's range.
  void Search(const GroupColumns& w, const GroupColumns& carried, GroupLevels* best) const;

 private:
  void Want(const GroupColumns& w, const GroupColumns& carried, GroupTrial* trial) const;
  void Fit(int row, GroupTrial* trial) const;

  GroupError group_;
  double one_squared_ = 0;  // the sum of cost * one^2
};

}  // namespace edgegate
