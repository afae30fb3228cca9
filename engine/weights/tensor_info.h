// A tensor in a model file: name, element type, shape and place of its bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace edgegate {

// The element types that can be read as float. The block formats are those of GGUF.
enum class TensorType : uint8_t {
  kF32,
  kF16,
  kBf16,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ4K,
  kQ5K,
  kQ6K,
};

// The header entry of one tensor.
struct TensorInfo {
  std::string name;
  std::string type_name;           // as in the file: "BF16", "Q4_K", "I64"
  std::optional<TensorType> type;  // nullopt: the type is not supported
  std::vector<int64_t> shape;      // outermost dimension first
  uint64_t offset = 0;             // of the data, in bytes from the start of the file
  uint64_t bytes = 0;
};

// Returns the shape as text: "[2048, 512]".
std::string ShapeText(const std::vector<int64_t>& shape);

// Returns the product of `shape`, 1 for a scalar. kDataLoss: a dimension is negative, or the
// product exceeds 2^48, which no real tensor reaches.
Result<int64_t> ElementCount(const std::vector<int64_t>& shape);

// Checks that each tensor is within [data_start, file_size), and that no two overlap. kDataLoss:
// the message names the tensors and the offsets.
Status CheckTensorRanges(const std::vector<TensorInfo>& tensors, uint64_t data_start,
                         uint64_t file_size);

}  // namespace edgegate
