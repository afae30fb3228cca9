#include "engine/quantize/group_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/base/half.h"

namespace edgegate {
namespace {

constexpr float kLargestF16 = 65504.0f;
// Number of step sizes that the search starts from, and number of fits after each. Larger numbers
// improve little. Fewer fits increase the error, because the levels need several fits to converge
// with their carry.
constexpr int kStarts = 6;
constexpr float kStartStep = 0.08f;
constexpr int kFits = 5;

float ClampToF16(float value) { return std::clamp(value, -kLargestF16, kLargestF16); }
float RoundToF16(float value) { return F16ToFloat(FloatToF16(ClampToF16(value))); }

// Stores a trial as the best one of the rows for which it has a smaller error.
void Keep(const GroupTrial& trial, int count, float* least, GroupLevels* best) {
  for (int row = 0; row < kSearchRows; ++row) {
    if (!(trial.error[row] < least[row])) continue;
    least[row] = trial.error[row];
    best->scale[row] = trial.scale[row];
    best->minimum[row] = trial.minimum[row];
    for (int j = 0; j < count; ++j) best->q[j][row] = trial.q[j][row];
  }
}

}  // namespace

GroupSearch::GroupSearch(const float* carry, int64_t stride, const float* cost, int count) {
  group_.count = count;
  for (int j = 0; j < count; ++j) {
    group_.cost[j] = cost[j];
    group_.one[j] = 1.0f;
    for (int i = 0; i < j; ++i) {
      group_.carry[j][i] = carry ? carry[i * stride + j] : 0.0f;
      group_.one[j] += group_.carry[j][i];
    }
    one_squared_ += double{cost[j]} * group_.one[j] * group_.one[j];
  }
}

// Sets the weights u that include the errors that were carried over, so that the error depends only
// on the group:
// w + carried + (carry of w) = u + (carry of u).
void GroupSearch::SetTarget(const GroupColumns& w, const GroupColumns& carried,
                            GroupTrial* t) const {
  GroupColumns shift;
  for (int j = 0; j < group_.count; ++j) {
    std::copy_n(carried[j], kSearchRows, shift[j]);
    for (int i = 0; i < j; ++i) {
      const float carry = group_.carry[j][i];
      for (int row = 0; row < kSearchRows; ++row) shift[j][row] -= carry * shift[i][row];
    }
    for (int row = 0; row < kSearchRows; ++row) {
      const float target = w[j][row] + shift[j][row];
      t->w[j][row] = std::fabs(target) <= kLargestF16 ? target : ClampToF16(w[j][row]);
      t->carried[j][row] = t->w[j][row];
    }
    for (int i = 0; i < j; ++i) {
      const float carry = group_.carry[j][i];
      for (int row = 0; row < kSearchRows; ++row) t->carried[j][row] += carry * t->w[i][row];
    }
  }
}

void GroupSearch::Fit(int row, GroupTrial* t) const {
  const double qq = t->qq[row], q1 = t->q1[row], wq = t->wq[row], w1 = t->w1[row];
  const double determinant = one_squared_ * qq - q1 * q1;
  // The trial is unchanged if all levels are equal, or if the scale would become negative.
  if (!(determinant > 1e-9 * one_squared_ * qq)) return;
  const float scale = RoundToF16(static_cast<float>((one_squared_ * wq - w1 * q1) / determinant));
  const float minimum = RoundToF16(static_cast<float>((w1 - double{scale} * q1) / one_squared_));
  if (!(scale > 0) || !std::isfinite(minimum)) return;
  t->scale[row] = scale;
  t->minimum[row] = minimum;
}

void GroupSearch::Search(const GroupColumns& w, const GroupColumns& carried,
                         GroupLevels* best) const {
  GroupTrial trial;
  SetTarget(w, carried, &trial);
  float low[kSearchRows], high[kSearchRows], least[kSearchRows];
  for (int row = 0; row < kSearchRows; ++row) {
    low[row] = high[row] = trial.w[0][row];
    for (int j = 1; j < group_.count; ++j) {
      low[row] = std::min(low[row], trial.w[j][row]);
      high[row] = std::max(high[row], trial.w[j][row]);
    }
    least[row] = std::numeric_limits<float>::infinity();
    // If all weights are equal, one level is enough.
    trial.scale[row] = best->scale[row] = 0;
    trial.minimum[row] = best->minimum[row] = RoundToF16(low[row]);
    for (int j = 0; j < group_.count; ++j) best->q[j][row] = 0;
  }
  const auto try_levels = [&] {
    RoundGroup(group_, &trial);
    Keep(trial, group_.count, least, best);
  };
  try_levels();
  for (int start = 0; start < kStarts; ++start) {
    // The levels cover the whole range first, then smaller parts of it.
    const float part = 1.0f - kStartStep * static_cast<float>(start);
    for (int row = 0; row < kSearchRows; ++row) {
      const float center = 0.5f * (low[row] + high[row]);
      const float half = 0.5f * part * (high[row] - low[row]);
      trial.scale[row] = RoundToF16(half * (2.0f / 15.0f));
      trial.minimum[row] = RoundToF16(center - half);
    }
    try_levels();
    for (int fit = 0; fit < kFits; ++fit) {
      for (int row = 0; row < kSearchRows; ++row) Fit(row, &trial);
      try_levels();
    }
  }
}

}  // namespace edgegate
