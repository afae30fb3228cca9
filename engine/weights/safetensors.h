// The safetensors file format: 8 bytes with the length of the header, a JSON header, the tensors'
// bytes.
// Specification: https://huggingface.co/docs/safetensors
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/status.h"
#include "engine/weights/tensor_info.h"

namespace edgegate {

// Reads the header of an untrusted file whose whole content is `file`. Returns the tensors, sorted
// by name, with offsets from the start of the file. Thread-safe. kDataLoss: the header breaks the
// format; the message names the tensor and the offset. The header must be a JSON object within the
// file, without duplicate names. Sizes must follow from type and shape. Data must be within the
// file, without overlaps and without holes.
Result<std::vector<TensorInfo>> ParseSafetensors(std::span<const uint8_t> file);

}  // namespace edgegate
