// Converts stored tensor elements to float. The block formats are those of llama.cpp's
// ggml-common.h. The results equal those of gguf-py/quants.py to the bit. All functions are
// thread-safe.
#pragma once

#include <cstdint>

#include "engine/weights/tensor_info.h"

namespace edgegate {

// The number of elements and of bytes of a block. Types without blocks have 1 element.
struct BlockShape {
  int elements;
  int bytes;
};
BlockShape BlockOf(TensorType type);

// Converts `count` elements, a multiple of the elements of a block, from `data` to `out`.
void Dequantize(TensorType type, const uint8_t* data, int64_t count, float* out);

// 32 of the 256 weights of a Q4_K or Q5_K block: w[i] = step * q[i] - offset.
struct KPart {
  float step, offset;
  uint8_t q[32];
};

// Reads part 0 to 7 of a Q4_K block. Each q is below 16.
KPart ReadQ4K(const uint8_t* block, int part);

}  // namespace edgegate
