// Decoded images, whole and row by row.
#pragma once

#include <cstdint>
#include <vector>

namespace edgegate {

struct Image {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> rgb;  // [height][width][3]
};

// Receives an image from a decoder. Methods may throw std::bad_alloc.
class RowSink {
 public:
  virtual ~RowSink() = default;
  // Called before the first row, and again if the decoder starts over. The earlier rows are then
  // invalid. `width` and `height`: as stored. `orientation`: the EXIF value, 1 .. 8.
  virtual void Begin(int width, int height, int orientation) = 0;
  // `rgb`: [width][3], the next row from the top, valid during the call.
  virtual void AddRow(const uint8_t* rgb) = 0;
};

}  // namespace edgegate
