// Keeps the frames of a video that show something new. Frames come in the order of time. The same
// frames always give the same result.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "server/media/image.h"

namespace edgegate {

// A small grey copy of a frame, for comparisons: averages of the cells of a grid.
class Thumbnail {
 public:
  static constexpr int kSide = 64;   // cells along each side
  static constexpr int kBlocks = 8;  // blocks along each side
  static constexpr int kBlock = kSide / kBlocks;

  explicit Thumbnail(const Image& image);

  // Returns the sum of the absolute differences of all cells.
  int64_t Difference(const Thumbnail& other) const;
  // Returns the mean absolute difference of the cells of the block that differs most, 0 .. 255. So
  // a small part of the frame that changes counts as much as the whole frame.
  int LargestDifference(const Thumbnail& other) const;

 private:
  std::array<uint8_t, size_t{kSide} * kSide> cells_;
};

struct SampledFrame {
  int64_t time_us = 0;
  Image image;  // fitted to the model's square, without padding
  Thumbnail thumbnail;
};

// A frame is kept if it differs from the frame that was kept before it. If too many are kept, the
// frame is dropped that is missed least: the product of its difference from the frame before it and
// of the time between the frames before and after it is the smallest. The first and the newest
// frame stay. Owned by one thread. Methods throw std::bad_alloc.
class FrameSampler {
 public:
  // Frames with a smaller Thumbnail::LargestDifference() count as equal. Noise and compression
  // stay below it.
  static constexpr int kChanged = 6;

  // `max_frames`: at least 1. `size`: side of the square that frames are fitted to, in pixels.
  FrameSampler(int max_frames, int size)
      : max_frames_(static_cast<size_t>(max_frames)), size_(size) {}

  // `time_us` must not be smaller than that of the frame before.
  void Add(int64_t time_us, const Image& image);
  std::vector<SampledFrame> Take() && { return std::move(kept_); }

 private:
  void DropOne();

  const size_t max_frames_;
  const int size_;
  std::vector<SampledFrame> kept_;
};

}  // namespace edgegate
