// The interface of packers. It is for formats whose blocks of rows can be packed in any order.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/ops/linear/shape.h"
#include "engine/ops/linear/tensors.h"

namespace edgegate {

// Packs the rows of one layer and writes its tensors. The bundle's writer stores an error.
class LinearPacker {
 public:
  virtual ~LinearPacker() = default;

  // Packs and writes rows [64 * block, 64 * block + count) of the matrix, float [count][k]. Only
  // the last block may have fewer than 64 rows. Call it once for each block. Several threads of
  // ThreadPool::Current() may call it at once.
  virtual void Pack(int block, const float* rows, int count) = 0;

  // Writes the remaining tensors. Call it once, after the last block.
  virtual void Finish() = 0;
};

// Makes a packer of a format for layer NAME. `bias` is [n], or empty. `writer` must outlive the
// packer.
using MakeLinearPacker = std::unique_ptr<LinearPacker>(TensorWriter* writer,
                                                       const std::string& name, LinearShape shape,
                                                       std::vector<float> bias);

}  // namespace edgegate
