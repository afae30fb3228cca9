// Packs a linear layer's rows into a bundle as they come.
#pragma once

#include <string>
#include <vector>

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

// As PackLinear(), and NAME.rest.*, which holds what that leaves of the rows (FineLinear).
void PackFineLinear(BundleWriter* writer, const std::string& name, const std::vector<float>& rows,
                    int k, std::vector<float> bias);

// The parts, one after the other.
std::vector<float> Concatenate(std::initializer_list<const std::vector<float>*> parts);

// Rows of gate and up in alternating blocks of 64 (model_weights.h); a bias has one column.
std::vector<float> InterleaveGateUp(const std::vector<float>& gate, const std::vector<float>& up,
                                    int rows, int columns);

}  // namespace edgegate
