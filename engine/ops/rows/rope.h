// Rotary position embedding (RoPE, Su et al. 2021, arXiv:2104.09864), in the two common layouts of
// pairs.
#pragma once

#include <cstdint>
#include <vector>

namespace edgegate {

// Cosines and sines of the rotation angles of the tokens of a batch. Row t has rotary_dim / 2
// cosines, then rotary_dim / 2 sines. Owned by one thread. Other threads may read it between two
// calls of SetPositions().
class RopeTable {
 public:
  // Makes a table with the frequencies theta^(-2i / rotary_dim). `frequency_divisors` has
  // rotary_dim / 2 entries, or is empty for no scaling. `frequency_axes` has the position axis of
  // each frequency, or is empty if all use axis 0. Frequencies and angles are float32, as in the
  // published models.
  RopeTable(int rotary_dim, double theta, const std::vector<float>& frequency_divisors,
            const std::vector<int32_t>& frequency_axes = {});

  // Computes the table for `positions` [tokens][axes]. If there is one axis, all frequencies use
  // it.
  void SetPositions(const std::vector<int32_t>& positions, int axes = 1);

  // Return the half() cosines or sines of a token. Valid until the next SetPositions().
  const float* cosines(int token) const { return &table_[int64_t{token} * 2 * half_]; }
  const float* sines(int token) const { return cosines(token) + half_; }
  int half() const { return half_; }

 private:
  int half_;
  std::vector<float> frequency_;
  std::vector<int32_t> axis_;  // axis of each frequency
  std::vector<float> table_;
};

// Rotate the first 2 * half components of one head in place. RopeInterleaved rotates the pairs (2i,
// 2i + 1). RopeHalfSplit rotates the pairs (i, i + half). Thread-safe.
void RopeInterleaved(float* head, int half, const float* cosines, const float* sines);
void RopeHalfSplit(float* head, int half, const float* cosines, const float* sines);

}  // namespace edgegate
