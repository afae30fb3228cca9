// Resizes 8-bit RGB images like Pillow (src/libImaging/Resample.c): antialiased bicubic with a =
// -0.5, whose support grows when the image shrinks, in Pillow's fixed-point arithmetic, with a pass
// over rows and one over columns, rounded to bytes in between. The result equals Pillow 13 bit for
// bit. Older versions always process rows first, which differs where hard edges overshoot in tall
// images.
#pragma once

#include <cstdint>
#include <vector>

namespace edgegate {

// Resizes `rgb` [height][width][3] to [new_height][new_width][3]. All sides are at least 1.
// Thread-safe. Throws std::bad_alloc.
std::vector<uint8_t> ResizeBicubic(const uint8_t* rgb, int width, int height, int new_width,
                                   int new_height);

// The slow reference of ResizeBicubic. Used by tests.
std::vector<uint8_t> ResizeBicubicReference(const uint8_t* rgb, int width, int height,
                                            int new_width, int new_height);

// True if Pillow processes the columns first, because the height shrinks far more than the width.
inline bool ColumnsFirst(int width, int height, int new_width, int new_height) {
  return new_height < height && height - new_height > 2 * (width - new_width);
}

// Weights along one side. Output i is the sum of inputs first[i] to first[i] + count[i] - 1,
// weighted by weights[i * stride ...]: fixed point with 22 fraction bits, followed by zeros up to
// the stride.
struct ResizeWeights {
  static constexpr int kBits = 22;
  static constexpr int32_t kHalf = 1 << (kBits - 1);
  int stride = 0;  // a multiple of 16
  std::vector<int> first, count;
  std::vector<int32_t> weights;
};
ResizeWeights MakeResizeWeights(int size, int new_size);

// Splits `width` interleaved RGB pixels into three planes that are `stride` bytes apart. `stride`
// must be at least width + 16.
void SplitChannels(const uint8_t* rgb, int width, int64_t stride, uint8_t* planes);

// Resizes one row along x: `planes` as SplitChannels writes them, to interleaved RGB with one pixel
// for each output of `w`.
void ResizeRow(const uint8_t* planes, int64_t stride, const ResizeWeights& w, uint8_t* out);

// Adds weight * row[i] to sums[i], for i < length.
void AddWeightedRow(const uint8_t* row, int64_t length, int32_t weight, int32_t* sums);

// Converts sums of weighted bytes to bytes: removes the fraction bits and clamps to 0 .. 255.
// The caller starts each sum at ResizeWeights::kHalf, so that the result is rounded.
void FinishSums(const int32_t* sums, int64_t length, uint8_t* out);

}  // namespace edgegate
