// Reads tensors of a model as float, in parallel.
#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "engine/base/status.h"
#include "engine/weights/tensor_files.h"

namespace edgegate {

// A tensor and the destination of its rows. `out` is resized, and is empty if the slice is absent.
// Not owned.
struct TensorToRead {
  TensorSlice slice;
  std::vector<float>* out;
};

// Reads all rows of the tensors. Returns the first error of TensorFiles::ReadRows() in the order of
// the tensors and rows.
Status ReadTensors(const TensorFiles& files, std::span<const TensorToRead> tensors);
Status ReadTensors(const TensorFiles& files, std::initializer_list<TensorToRead> tensors);

}  // namespace edgegate
