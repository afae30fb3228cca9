// PrepareImage() for an image whose rows arrive one by one, in the order of the file. The result
// equals, bit for bit, that of PrepareImage() on the whole image after its rotation by the EXIF
// orientation. Memory: several rows of the image, and the canvas.
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
  // `width` and `height`: as stored, at least 1. `orientation`: the EXIF value; outside 2 .. 8 the
  // image is upright. `size`: side of the canvas, in pixels.
  RowPreparer(int width, int height, int orientation, int size);

  // Adds the next row from the top. `rgb`: [width][3]. Must be called exactly `height` times.
  void AddRow(const uint8_t* rgb);

  // Returns the canvas, [size][size][3]. Call after the last row.
  std::vector<uint8_t> Finish() && { return std::move(canvas_); }

 private:
  // The vertical pass: one int32 sum for each byte of each output row in progress.
  class Columns {
   public:
    Columns(ResizeWeights weights, bool mirrored, int64_t length);
    // Adds the next input row of `length` bytes, and calls finish(index, sums) for each output row
    // that is complete.
    template <typename Use>
    void Add(const uint8_t* row, Use finish);

   private:
    size_t OutputAt(int step) const {
      return static_cast<size_t>(mirrored_ ? outputs_ - 1 - step : step);
    }
    int32_t* SumsAt(int step) { return sums_.data() + step % slots_ * length_; }

    const ResizeWeights weights_;  // of the stored rows
    const bool mirrored_;          // the last output row of the canvas is completed first
    const int64_t length_;
    const int outputs_;
    int slots_ = 1;  // largest number of output rows in progress
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
