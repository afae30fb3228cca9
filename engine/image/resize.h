// Resizing 8-bit RGB as Pillow does: antialiased bicubic (a = -0.5; the support grows when
// shrinking), in Pillow's own fixed-point arithmetic, a pass over rows and one over columns,
// rounded to bytes in between (Pillow, src/libImaging/Resample.c). Equal to Pillow 13 bit for bit;
// older ones take rows first always, which shows where hard edges overshoot in tall pictures.
#pragma once

#include <cstdint>
#include <vector>

namespace edgegate {

// `rgb` [height][width][3] to [new_height][new_width][3]; all sides at least 1. Thread-safe. Throws
// std::bad_alloc.
std::vector<uint8_t> ResizeBicubic(const uint8_t* rgb, int width, int height, int new_width,
                                   int new_height);

// The slow truth.
std::vector<uint8_t> ResizeBicubicReference(const uint8_t* rgb, int width, int height,
                                            int new_width, int new_height);

// Whether Pillow takes the columns first: the height loses far more than the width.
inline bool ColumnsFirst(int width, int height, int new_width, int new_height) {
  return new_height < height && height - new_height > 2 * (width - new_width);
}

// Weights of the input that one output side takes: output i sums input first[i] .. first[i] +
// count[i] - 1 with weights[i * stride ...], fixed point with 22 digits, zeros up to the stride.
struct ResizeWeights {
  static constexpr int kBits = 22;
  int stride = 0;  // a multiple of 16
  std::vector<int> first, count;
  std::vector<int32_t> weights;
};
ResizeWeights MakeResizeWeights(int size, int new_size);

}  // namespace edgegate
