// The safetensors container: 8 bytes of header length, a JSON header, the tensors' bytes.
// Format: https://huggingface.co/docs/safetensors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/status.h"
#include "engine/weights/tensor_info.h"

namespace edgegate {

// The tensors of a safetensors file whose whole content is `file` (only the header is read). Sorted
// by name; the offsets count from the start of the file. kDataLoss, naming the tensor and offset,
// for anything that the format does not allow: a header that passes the end or is no JSON object,
// names given twice, sizes that do not follow from type and shape, data that overlaps, leaves holes
// or lies outside the file.
Result<std::vector<TensorInfo>> ParseSafetensors(std::span<const uint8_t> file);

}  // namespace edgegate
