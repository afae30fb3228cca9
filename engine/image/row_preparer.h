// PrepareImage for an image whose rows arrive one by one, in the order that a file stores them. The
// result equals rotating the whole image by its EXIF orientation and calling PrepareImage, bit for
// bit. Memory: some rows of the image, and the canvas.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "engine/image/resize.h"

namespace edgegate {

// Not thread-safe. Methods throw std::bad_alloc.
class RowPreparer {
 public:
  // `width` and `height`: as stored, at least 1. `orientation`: EXIF's; values outside 2 .. 8 mean
  // upright. `size`: pixels of a side of the canvas.
  RowPreparer(int width, int height, int orientation, int size);

  // `rgb`: [width][3], the next row from the top. Exactly `height` calls.
  void AddRow(const uint8_t* rgb);

  // The canvas, [size][size][3], after the last row.
  std::vector<uint8_t> Finish() && { return std::move(canvas_); }

 private:
  // The vertical pass: one int32 sum for each byte of each output row in progress.
  class Columns {
   public:
    Columns(ResizeWeights weights, bool mirrored, int64_t length);
    // Adds the next input row of `length` bytes. finish(index, sums) gets each output row that is
    // complete.
    template <typename Use>
    void Add(const uint8_t* row, Use finish);

   private:
    size_t OutputAt(int step) const {
      return static_cast<size_t>(mirrored_ ? outputs_ - 1 - step : step);
    }
    int32_t* SumsAt(int step) { return sums_.data() + step % slots_ * length_; }

    const ResizeWeights weights_;  // in terms of stored rows
    const bool mirrored_;          // the first output row in time is the last one of the canvas
    const int64_t length_;
    const int outputs_;
    int slots_ = 1;  // most output rows in progress at once
    int row_ = 0;    // input rows seen
    int begin_ = 0;  // output rows [begin_, end_) are in progress
    int end_ = 0;
    std::vector<int32_t> sums_;  // [slots_][length_]
  };

  void ResizeAlongX(const uint8_t* rgb);  // to resized_
  void Place(size_t index, const uint8_t* rgb);

  const int width_;
  const int size_;
  const bool transposed_;
  bool x_first_;
  ResizeWeights x_weights_;
  std::optional<Columns> columns_;  // set by the constructor
  std::vector<uint8_t> planes_;
  std::vector<uint8_t> resized_;   // a row after the horizontal pass
  std::vector<uint8_t> finished_;  // a row after the vertical pass
  std::vector<uint8_t> canvas_;
};

}  // namespace edgegate
