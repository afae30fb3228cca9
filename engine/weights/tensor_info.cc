#include "engine/weights/tensor_info.h"

#include <algorithm>

namespace edgegate {

std::string ShapeText(const std::vector<int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

Result<int64_t> ElementCount(const std::vector<int64_t>& shape) {
  constexpr int64_t kMost = int64_t{1} << 48;
  int64_t count = 1;
  for (int64_t dimension : shape) {
    if (dimension < 0) return DataLoss("shape {} has a negative dimension", ShapeText(shape));
    if (dimension != 0 && count > kMost / dimension) {
      return DataLoss("shape {} has more than 2^48 elements", ShapeText(shape));
    }
    count *= dimension;
  }
  return count;
}

Status CheckTensorRanges(const std::vector<TensorInfo>& tensors, uint64_t data_start,
                         uint64_t file_size) {
  std::vector<const TensorInfo*> by_offset;
  for (const TensorInfo& tensor : tensors) {
    if (tensor.offset < data_start || tensor.offset > file_size ||
        tensor.bytes > file_size - tensor.offset) {
      return DataLoss("tensor {}: its {} bytes at offset {} pass the end of the file ({} bytes)",
                      tensor.name, tensor.bytes, tensor.offset, file_size);
    }
    if (tensor.bytes > 0) by_offset.push_back(&tensor);
  }
  std::sort(by_offset.begin(), by_offset.end(),
            [](const TensorInfo* a, const TensorInfo* b) { return a->offset < b->offset; });
  for (size_t i = 1; i < by_offset.size(); ++i) {
    const TensorInfo& before = *by_offset[i - 1];
    const TensorInfo& after = *by_offset[i];
    if (before.offset + before.bytes > after.offset) {
      return DataLoss("tensors {} (offset {}, {} bytes) and {} (offset {}) overlap", before.name,
                      before.offset, before.bytes, after.name, after.offset);
    }
  }
  return {};
}

}  // namespace edgegate
