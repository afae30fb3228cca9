// Rotary position embedding (Su et al. 2021, arXiv:2104.09864), in both layouts of the field.
#pragma once

#include <cstdint>
#include <vector>

namespace edgegate {

// Angles of a batch of positions: row t has rotary_dim / 2 cosines, then as many sines.
class RopeTable {
 public:
  // frequency_divisors: empty, or rotary_dim / 2 entries. frequency_axes: the position axis of each
  // frequency; empty: axis 0. Frequencies and angles are float32, as the published models compute
  // them.
  RopeTable(int rotary_dim, double theta, const std::vector<float>& frequency_divisors,
            const std::vector<int32_t>& frequency_axes = {});

  // `positions`: [tokens][axes]. With one axis, every frequency reads it.
  void SetPositions(const std::vector<int32_t>& positions, int axes = 1);

  const float* cosines(int token) const { return &table_[int64_t{token} * 2 * half_]; }
  const float* sines(int token) const { return cosines(token) + half_; }
  int half() const { return half_; }

 private:
  int half_;
  std::vector<float> frequency_;
  std::vector<int32_t> axis_;  // of each frequency
  std::vector<float> table_;
};

// Rotates the first 2 * half components of one head in place: pairs (2i, 2i + 1), or (i, i + half).
void RopeInterleaved(float* head, int half, const float* cosines, const float* sines);
void RopeHalfSplit(float* head, int half, const float* cosines, const float* sines);

}  // namespace edgegate
