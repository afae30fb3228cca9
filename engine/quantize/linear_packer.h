// Packs matrices of float rows into a bundle.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "engine/ops/linear/int16/format.h"
#include "engine/ops/linear/int8/format.h"
#include "engine/ops/linear/packer.h"

namespace edgegate {

// Returns the packer of layers that are INT16 in narrow models, and else INT8.
inline MakeLinearPacker* IntPackerOf(bool narrow) {
  return narrow ? MakeInt16Packer : MakeInt8Packer;
}

// Pointers to the rows of a matrix, anywhere in memory. Null stands for a row of zeros.
using RowPointers = std::vector<const float*>;

// Returns pointers to the rows of the parts, each float [rows][k], in the order of the parts.
RowPointers RowsOf(std::initializer_list<const std::vector<float>*> parts, int k);

// Returns pointers to the rows of gate and up, in alternating blocks of 64 (decoder_weights.h).
RowPointers GateUpRows(const std::vector<float>& gate, const std::vector<float>& up, int k);

// Packs a matrix in memory and writes its tensors, in parallel. `bias` is [rows], or empty.
// `writer` stores an error.
void PackLinear(TensorWriter* writer, const std::string& name, const RowPointers& rows, int k,
                std::vector<float> bias, MakeLinearPacker* make_packer);

// Returns the parts as one array, in their order.
template <typename T>
std::vector<T> Concatenate(std::initializer_list<const std::vector<T>*> parts) {
  std::vector<T> all;
  for (const auto* part : parts) all.insert(all.end(), part->begin(), part->end());
  return all;
}

// Returns the rows of gate and up in alternating blocks of 64 (decoder_weights.h). A bias has one
// column.
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
