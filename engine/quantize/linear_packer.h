// Packs a linear layer's rows into a bundle as they come.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "engine/ops/int4_weights.h"
#include "engine/weights/bundle_format.h"

namespace edgegate {

// Writes the tensors NAME.packed, NAME.scale, NAME.column_sum and NAME.bias. Nothing else may be
// written to the bundle between construction and Finish(). Owned by one thread.
class LinearPacker {
 public:
  // `k`: columns. `writer` must outlive this.
  LinearPacker(BundleWriter* writer, const std::string& name, int k);

  // The next `count` rows, [count][k]; only the last call may give a count that is no multiple
  // of 64.
  void Add(const float* rows, int count);

  // `bias` is in column order, or empty.
  void Finish(std::vector<float> bias);

 private:
  BundleWriter* writer_;
  const std::string name_;
  const int k_;
  std::vector<float> scale_;
  std::vector<int32_t> sums_;
};

// All of a layer that is in memory: rows [n][k].
void PackLinear(BundleWriter* writer, const std::string& name, const std::vector<float>& rows,
                int k, std::vector<float> bias);

// Replaces rows [n][k] by what packing them leaves.
void KeepRest(std::vector<float>* rows, int k);

// As PackLinear(), and NAME.rest.*, which holds what that leaves of the rows (Linear).
void PackFineLinear(BundleWriter* writer, const std::string& name, const std::vector<float>& rows,
                    int k, std::vector<float> bias);

// Writes the tensors NAME.int4 and NAME.bias: rows [n][Int4Groups(k)]; NAME.int4x64 where `group`
// is 64.
void PackInt4Linear(BundleWriter* writer, const std::string& name,
                    const std::vector<Int4Group>& rows, int k, int group, std::vector<float> bias);

// The parts, one after the other.
template <typename T>
std::vector<T> Concatenate(std::initializer_list<const std::vector<T>*> parts) {
  std::vector<T> all;
  for (const auto* part : parts) all.insert(all.end(), part->begin(), part->end());
  return all;
}

// Rows of gate and up in alternating blocks of 64 (model_weights.h); a bias has one column.
template <typename T>
std::vector<T> InterleaveGateUp(const std::vector<T>& gate, const std::vector<T>& up, int rows,
                                int columns) {
  if (gate.empty()) return {};
  std::vector<T> all(size_t{128} * Int8Blocks(rows) * columns);
  for (int row = 0; row < rows; ++row) {
    const int64_t to = int64_t{row / 64} * 128 + row % 64;
    std::copy_n(gate.begin() + int64_t{row} * columns, columns, all.begin() + to * columns);
    std::copy_n(up.begin() + int64_t{row} * columns, columns, all.begin() + (to + 64) * columns);
  }
  return all;
}

}  // namespace edgegate
