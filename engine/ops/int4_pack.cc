#include "engine/ops/int4_pack.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/base/half.h"

namespace edgegate {
namespace {

constexpr int kLanes = 8;  // sums are kept apart in so many, in which compilers see vectors
constexpr float kLargestF16 = 65504.0f;

float ClampedToF16(float value) { return std::clamp(value, -kLargestF16, kLargestF16); }

// A group while scales are tried on it.
struct Search {
  float x[kInt4Group];
  float weight[kInt4Group];  // 0 past the group's end
  float q[kInt4Group];

  // The nearest levels.
  void Assign(float scale, float minimum) {
    const float inverse = scale > 0 ? 1.0f / scale : 0.0f;
    for (int i = 0; i < kInt4Group; ++i) {
      // The fraction is cut off behind the half, which compilers do in vectors.
      const float level = (x[i] - minimum) * inverse + 0.5f;
      q[i] = static_cast<float>(static_cast<int>(std::min(std::max(level, 0.5f), 15.5f)));
    }
  }

  float Error(float scale, float minimum) const {
    float sums[kLanes] = {};
    for (int i = 0; i < kInt4Group; i += kLanes) {
      for (int j = 0; j < kLanes; ++j) {
        const float left = x[i + j] - (scale * q[i + j] + minimum);
        sums[j] += weight[i + j] * left * left;
      }
    }
    float total = 0;
    for (float sum : sums) total += sum;
    return total;
  }

  // The scale and minimum that serve the levels best, as f16 has them: false where the levels are
  // all alike, or the order turns.
  bool Fit(float* scale, float* minimum) const {
    float sums[5][kLanes] = {};
    for (int i = 0; i < kInt4Group; i += kLanes) {
      for (int j = 0; j < kLanes; ++j) {
        const float w = weight[i + j], wq = w * q[i + j], wx = w * x[i + j];
        sums[0][j] += w;
        sums[1][j] += wq;
        sums[2][j] += wq * q[i + j];
        sums[3][j] += wx;
        sums[4][j] += wx * q[i + j];
      }
    }
    double total[5] = {};
    for (int s = 0; s < 5; ++s) {
      for (float sum : sums[s]) total[s] += double{sum};
    }
    const auto [w, q1, q2, x1, xq] = total;
    const double determinant = w * q2 - q1 * q1;
    if (!(determinant > 1e-9 * w * q2)) return false;
    const auto best = static_cast<float>((w * xq - x1 * q1) / determinant);
    *scale = F16ToFloat(FloatToF16(ClampedToF16(best)));
    if (!(*scale > 0)) return false;
    const auto rest = static_cast<float>((x1 - double{*scale} * q1) / w);
    *minimum = F16ToFloat(FloatToF16(ClampedToF16(rest)));
    return true;
  }
};

}  // namespace

void PackInt4Block(const Int4Group* rows, int count, int k, int group, uint8_t* packed) {
  const int parts = Int4Groups(k), wide = group / kInt4Group;
  std::memset(packed, 0, static_cast<size_t>(Int4PackedBytes(kInt8Block, k, group)));
  for (int first = 0; first < parts; first += wide, packed += Int4GroupBytes(group)) {
    uint8_t* scales = packed + wide * kInt4LevelBytes;
    for (int n = 0; n < count; ++n) {
      const Int4Group* from = rows + int64_t{n} * parts + first;
      for (int part = 0; part < std::min(wide, parts - first); ++part) {
        uint8_t* levels = packed + part * kInt4LevelBytes;
        for (int quad = 0; quad < kInt4Group / 8; ++quad) {
          std::memcpy(levels + (quad * kInt8Block + n) * 4, from[part].q + 4 * quad, 4);
        }
      }
      std::memcpy(scales + 2 * n, &from->scale, 2);
      std::memcpy(scales + 2 * (kInt8Block + n), &from->minimum, 2);
    }
  }
}

float UnpackInt4(const Int4Linear& w, int n, int k) {
  const int column = n % kInt8Block, i = k % kInt4Group, half = kInt4Group / 2;
  const uint8_t* group =
      w.packed + (int64_t{n} / kInt8Block * w.groups() + k / w.group) * Int4GroupBytes(w.group);
  const uint8_t* levels = group + k % w.group / kInt4Group * kInt4LevelBytes;
  const uint8_t* scales = group + w.group / kInt4Group * kInt4LevelBytes;
  const uint8_t byte = levels[(i % half / 4 * kInt8Block + column) * 4 + i % 4];
  uint16_t scale, minimum;
  std::memcpy(&scale, scales + 2 * column, 2);
  std::memcpy(&minimum, scales + 2 * (kInt8Block + column), 2);
  const int level = i < half ? byte & 15 : byte >> 4;
  return F16ToFloat(scale) * static_cast<float>(level) + F16ToFloat(minimum);
}

Int4Group QuantizeInt4Group(const float* w, const float* importance, int count) {
  Search search;
  float low = w[0], high = w[0], mean = 0;
  for (int i = 0; i < count; ++i) {
    low = std::min(low, w[i]);
    high = std::max(high, w[i]);
    mean += importance[i] / static_cast<float>(count);
  }
  for (int i = 0; i < kInt4Group; ++i) {
    search.x[i] = i < count ? ClampedToF16(w[i]) : low;
    // Weights whose inputs calibration never saw still count a little.
    const float relative = mean > 1e-30f && i < count ? importance[i] / mean : 1.0f;
    search.weight[i] = i < count ? relative + 1e-3f : 0.0f;
  }
  // All alike: one level.
  float best_scale = 0, best_minimum = F16ToFloat(FloatToF16(ClampedToF16(low)));
  search.Assign(best_scale, best_minimum);
  float least = search.Error(best_scale, best_minimum);
  const float centre = 0.5f * (low + high), half = 0.5f * (high - low);
  for (int step = 0; step <= 8; ++step) {
    // Levels over the whole range, and over less and less of it.
    const float part = 1.0f - 0.06f * static_cast<float>(step);
    float scale = half * part * (2.0f / 15.0f), minimum = centre - half * part;
    if (!(scale > 0)) break;
    for (int round = 0; round < 2; ++round) {
      search.Assign(scale, minimum);
      if (!search.Fit(&scale, &minimum)) break;
      search.Assign(scale, minimum);
      const float error = search.Error(scale, minimum);
      if (error < least) {
        least = error;
        best_scale = scale;
        best_minimum = minimum;
      }
    }
  }
  Int4Group group;
  group.scale = FloatToF16(best_scale);
  group.minimum = FloatToF16(best_minimum);
  search.Assign(best_scale, best_minimum);
  for (int i = 0; i < count; ++i) {
    const int level = static_cast<int>(search.q[i]);
    group.q[i % (kInt4Group / 2)] |= static_cast<uint8_t>(i < kInt4Group / 2 ? level : level << 4);
  }
  return group;
}

}  // namespace edgegate
