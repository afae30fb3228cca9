// Reads tensors of a model as float, in parallel.
#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "engine/base/status.h"
#include "engine/weights/tensor_files.h"

namespace edgegate {

// All rows of `slice`, to `out`, which gets that size. An absent slice leaves `out` empty.
struct TensorToRead {
  TensorSlice slice;
  std::vector<float>* out;
};

// Errors are those of TensorFiles::ReadRows(): the first one in the order of the tensors and rows.
Status ReadTensors(const TensorFiles& files, std::span<const TensorToRead> tensors);
Status ReadTensors(const TensorFiles& files, std::initializer_list<TensorToRead> tensors);

}  // namespace edgegate
