// Converts stored tensor elements to float. The block formats are those of llama.cpp's
// ggml-common.h. The results equal those of gguf-py/quants.py to the bit.
#pragma once

#include <cstdint>

#include "engine/weights/tensor_info.h"

namespace edgegate {

// Elements per block and bytes per block; 1 element for the plain types.
struct BlockShape {
  int elements;
  int bytes;
};
BlockShape BlockOf(TensorType type);

// `count` elements (a multiple of the block's) from `data` to `out`.
void Dequantize(TensorType type, const uint8_t* data, int64_t count, float* out);

// 32 of the 256 weights of a Q4_K or Q5_K block: w[i] = step * q[i] - offset.
struct KPart {
  float step, offset;
  uint8_t q[32];
};

// Part 0 to 7 of a Q4_K block, each q below 16.
KPart ReadQ4K(const uint8_t* block, int part);

}  // namespace edgegate
