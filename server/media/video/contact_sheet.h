// Puts several frames of a video in one image. All functions are thread-safe and throw
// std::bad_alloc.
#pragma once

#include <cstdint>
#include <vector>

#include "server/media/image.h"

namespace edgegate {

// Returns the number of frames of this shape that fit a square sheet if the longer side of each is
// a third of the sheet's: at least 9.
int SheetCapacity(int width, int height);

struct ContactSheet {
  int columns = 1;
  std::vector<uint8_t> pixels;  // [size][size][3]
};

// Places the frames in rows, from left to right, in the grid in which they are largest. The rest is
// black. `frames`: at least one, of any shapes; the first frame's shape decides the grid.
ContactSheet MakeContactSheet(const std::vector<Image>& frames, int size);

// Returns the frame in the upper left of a black square: [size][size][3]. `frame`: at most `size`
// pixels wide and high.
std::vector<uint8_t> PadToSquare(const Image& frame, int size);

}  // namespace edgegate
