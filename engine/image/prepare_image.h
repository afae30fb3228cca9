// Image preprocessing of GLM-Edge-V, without the normalization (transformers, MllamaImageProcessor
// with one tile). The image keeps its aspect ratio. Its longer side becomes `size` pixels long;
// small images are enlarged. Zeros pad it on the right and below.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace edgegate {

// Returns width and height after resizing, each from 1 to `size`.
std::pair<int, int> FitToCanvas(int width, int height, int size);

// Converts `rgb` [height][width][3] to [size][size][3]. Thread-safe. Throws std::bad_alloc.
std::vector<uint8_t> PrepareImage(const uint8_t* rgb, int width, int height, int size);

}  // namespace edgegate
