// Packs a linear layer's rows into a bundle as they come.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "engine/ops/linear/int4/weights.h"
#include "engine/weights/bundle_format.h"

namespace edgegate {

// Writes the tensors NAME.packed, NAME.scale, NAME.column_sum and NAME.bias, and, where `fine`,
// NAME.rest.{packed, scale, column_sum}: what packing leaves of the rows (Linear).
class LinearPacker {
 public:
  // `n` rows of `k` columns. `bias` is in row order, or empty. `writer` must outlive this.
  LinearPacker(BundleWriter* writer, const std::string& name, int n, int k, std::vector<float> bias,
               bool fine);

  // Packs and writes rows [64 * block, 64 * block + count) of the matrix; only the last block may
  // have fewer than 64. Each block once. May be called in a parallel loop.
  void Pack(int block, const float* rows, int count);

  // After the last block.
  void Finish();

 private:
  // One of the two packed matrices.
  struct Matrix {
    uint64_t packed_at, scale_at, sums_at;  // offsets in the bundle
    std::vector<float> scale;
    std::vector<int32_t> sums;
  };
  // Buffers of one thread.
  struct Scratch {
    std::vector<int8_t> packed;
    std::vector<float> rest;
  };

  Matrix Reserve(const std::string& name);
  void Write(Matrix* matrix, int block, const float* rows, int count, std::vector<int8_t>* packed);

  BundleWriter* const writer_;
  const int n_;
  const int k_;
  std::vector<Matrix> matrices_;  // main, rest
  std::vector<Scratch> scratch_;  // of each thread
};

// The rows of a matrix, wherever they are in memory; null: a row of zeros.
using RowPointers = std::vector<const float*>;

// Pointers to the rows of the parts, [rows][k], one part after the other.
RowPointers RowsOf(std::initializer_list<const std::vector<float>*> parts, int k);

// Rows of gate and up in alternating blocks of 64 (decoder_weights.h).
RowPointers GateUpRows(const std::vector<float>& gate, const std::vector<float>& up, int k);

// All of a matrix that is in memory, in parallel.
void PackLinear(BundleWriter* writer, const std::string& name, const RowPointers& rows, int k,
                std::vector<float> bias, bool fine);

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

// Rows of gate and up in alternating blocks of 64 (decoder_weights.h); a bias has one column.
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
