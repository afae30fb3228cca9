#include "server/media/video/frame_sampler.h"

#include <algorithm>
#include <cstdlib>

#include "engine/image/prepare_image.h"
#include "engine/image/resize.h"

namespace edgegate {
namespace {

// Returns the mean brightness of the pixels in [x0, x1) x [y0, y1).
uint8_t MeanOf(const Image& image, int x0, int x1, int y0, int y1) {
  int64_t sum = 0;
  for (int y = y0; y < y1; ++y) {
    const uint8_t* rgb = image.rgb.data() + (int64_t{y} * image.width + x0) * 3;
    for (int x = x0; x < x1; ++x, rgb += 3) sum += 77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2];
  }
  return static_cast<uint8_t>(sum / (int64_t{x1 - x0} * (y1 - y0) * 256));
}

Image Fitted(const Image& image, int size) {
  const auto [width, height] = FitToCanvas(image.width, image.height, size);
  return {width, height, ResizeBicubic(image.rgb.data(), image.width, image.height, width, height)};
}

}  // namespace

Thumbnail::Thumbnail(const Image& image) {
  for (int row = 0; row < kSide; ++row) {
    const int y0 = static_cast<int>(int64_t{row} * image.height / kSide);
    const int y1 = std::max(y0 + 1, static_cast<int>(int64_t{row + 1} * image.height / kSide));
    for (int column = 0; column < kSide; ++column) {
      const int x0 = static_cast<int>(int64_t{column} * image.width / kSide);
      const int x1 = std::max(x0 + 1, static_cast<int>(int64_t{column + 1} * image.width / kSide));
      cells_[static_cast<size_t>(row * kSide + column)] = MeanOf(image, x0, x1, y0, y1);
    }
  }
}

int64_t Thumbnail::Difference(const Thumbnail& other) const {
  int64_t sum = 0;
  for (size_t i = 0; i < cells_.size(); ++i) sum += std::abs(cells_[i] - other.cells_[i]);
  return sum;
}

int Thumbnail::LargestDifference(const Thumbnail& other) const {
  std::array<int, size_t{kBlocks} * kBlocks> sums{};
  for (size_t i = 0; i < cells_.size(); ++i) {
    const size_t row = i / kSide / kBlock, column = i % kSide / kBlock;
    sums[row * kBlocks + column] += std::abs(cells_[i] - other.cells_[i]);
  }
  return *std::max_element(sums.begin(), sums.end()) / (kBlock * kBlock);
}

void FrameSampler::Add(int64_t time_us, const Image& image) {
  const Thumbnail thumbnail(image);
  if (!kept_.empty()) {
    if (max_frames_ == 1) return;
    if (thumbnail.LargestDifference(kept_.back().thumbnail) < kChanged) return;
  }
  kept_.push_back({time_us, Fitted(image, size_), thumbnail});
  if (kept_.size() > max_frames_) DropOne();
}

void FrameSampler::DropOne() {
  size_t least = 1;
  int64_t least_loss = INT64_MAX;
  for (size_t i = 1; i + 1 < kept_.size(); ++i) {
    const int64_t gap_us = kept_[i + 1].time_us - kept_[i - 1].time_us;
    const int64_t loss = kept_[i].thumbnail.Difference(kept_[i - 1].thumbnail) * gap_us;
    if (loss >= least_loss) continue;
    least_loss = loss;
    least = i;
  }
  kept_.erase(kept_.begin() + static_cast<int64_t>(least));
  // The frame after it may show what the frame before it shows.
  const Thumbnail& after = kept_[least].thumbnail;
  if (after.LargestDifference(kept_[least - 1].thumbnail) >= kChanged) return;
  kept_.erase(kept_.begin() + static_cast<int64_t>(least));
}

}  // namespace edgegate
