// An image as GLM-Edge-V's image processor prepares it, up to the normalization (transformers,
// MllamaImageProcessor with one tile): the aspect is kept, the longer side becomes `size`, small
// images are enlarged, and right and below it is padded with 0.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace edgegate {

// Width and height after resizing, each 1 .. size.
std::pair<int, int> FitToCanvas(int width, int height, int size);

// `rgb` [height][width][3] to [size][size][3]. Thread-safe. Throws std::bad_alloc.
std::vector<uint8_t> PrepareImage(const uint8_t* rgb, int width, int height, int size);

}  // namespace edgegate
